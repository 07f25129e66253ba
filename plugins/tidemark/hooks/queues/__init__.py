"""SQS, as the receiver and the drain need it, and the disk that stands in while it is away."""
