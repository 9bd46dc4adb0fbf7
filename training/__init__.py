"""Scripts that train organizer-mini; nothing in the package imports them."""
