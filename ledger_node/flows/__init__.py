"""One file per step of the way of a material: order of effects, transactions, retries."""
