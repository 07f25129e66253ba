"""The staging bucket: files of batches, documents, what was set aside."""
