"""Give files, folders and answers that outlast a kill their place on disk."""
