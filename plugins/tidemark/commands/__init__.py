"""Groups of commands of the terminal, a module each: `cli.py` has the door and the short ones."""
