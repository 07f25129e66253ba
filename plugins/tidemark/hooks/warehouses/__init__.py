"""The kinds of warehouse. One module a kind; all keep the same promises."""
