"""What the product says of itself: metrics, incidents, alarms, dashboards. Pure."""
