from . import chatbridge_channel_join
