from . import chatbridge_channel_join
from . import chatbridge_conversation_delete
