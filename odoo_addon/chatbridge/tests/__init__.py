from . import test_apply
from . import test_bot
from . import test_configuration
from . import test_handshake
from . import test_messenger
from . import test_rights
from . import test_step
from . import test_translations
