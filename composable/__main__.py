"""`python -m composable` is the command `composable`."""

from composable.cli.main import main

if __name__ == "__main__":  # worker processes import this module, too
    main()
