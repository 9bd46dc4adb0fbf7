"""DecodedImage -> EmbeddingBatch: networks and handcrafted features, and where weights come from.

Each module is loaded through its entry point, so torch is imported only when a network is used.
"""
