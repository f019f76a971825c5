"""`bench fetch`: it uses the network, and only when asked.

`bench.store.sources` lists what can be fetched. `downloads` gets bytes, `archives` unpacks them, `contents`
checks them, and `install` puts them in their place.
"""
