from . import chatbridge_leave
