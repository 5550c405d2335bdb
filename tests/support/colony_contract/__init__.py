"""Replays recorded exchanges against a ColonyOS server and reports where its replies differ.

Any server: it is given by address and keys. The judge knows nothing of the server's insides and of our client; of the
package it uses `colony_jupyter.wire.identity` alone, to sign.
"""
