"""`python -m raccroche`."""

from raccroche.cli import main

if __name__ == "__main__":
    main()
