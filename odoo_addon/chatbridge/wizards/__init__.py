from . import chatbridge_leave
from . import chatbridge_channel_join
from . import chatbridge_conversation_delete
