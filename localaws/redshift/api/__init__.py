"""The Data API: requests, responses, results, faults of calls."""
