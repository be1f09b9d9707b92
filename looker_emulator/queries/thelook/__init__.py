"""The demo store `thelook`: orders, users, products and an inventory."""
