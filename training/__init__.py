"""Scripts that make what organizer brings along; nothing in the package imports them."""
