"""How fast events get from their queue into two warehouses, beside one INSERT for each event."""
