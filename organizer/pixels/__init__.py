"""What decoders give -> 8-bit sRGB: any depth, any number of bands, any colour profile."""
