"""``python -m organizer``: the same program."""

from organizer.cli import main

if __name__ == "__main__":
    main()
