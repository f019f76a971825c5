"""`bench fetch`: the only code that uses the network, and only when asked.

`sources` says what can be fetched, `downloads` gets bytes, `archives` unpacks them, `contents` says whether
they are the right ones, and `install` puts them where they belong.
"""
