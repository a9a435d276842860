"""A simulated identity provider of a member city: its own process, invented people.

OpenID Connect code flow with PKCE for public clients; the ten lines that decision 0012 asks of a
provider are in `tokens.py`. Real name and face are not checked: whoever clicks a name is believed.
"""
