from . import chatbridge_leave
from . import chatbridge_channel_join
