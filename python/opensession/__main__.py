"""``python -m opensession`` is the console script."""

import sys

from opensession.cli.app import main

sys.exit(main())
