"""Read the bytes of local files, in any encoding and packed or not."""
