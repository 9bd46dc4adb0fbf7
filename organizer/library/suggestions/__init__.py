"""What a person's decisions suggest about other images, and what to ask the person next."""
