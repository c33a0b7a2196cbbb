"""How a command reaches the bot that already runs here.

The embedded index belongs to one process. While the bot runs, commands hand their work to it
over a loopback socket; its port and a random token are in a file that only the owner can read.
"""
