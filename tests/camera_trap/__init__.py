"""The camera-trap plugin, through the program as typed and the library as called."""
