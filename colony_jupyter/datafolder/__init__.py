"""The data folder of an embedded colony: its files, its lock, and the record of the running process.

::

    keys.json      the private keys of server, colony and user (keys.py)
    lock           held for life by the one process that runs the colony (lock.py)
    running.json   where that process listens, and how to be sure it is the one (info.py)
    server.log     standard error of that process, bounded (log.py)
    colonies.env   ColonyOS's variables, written by `colony-jupyter serve`
    tls/           the certificate of `colony-jupyter serve --tls`
    executors/     the keys of executors that were started here, one file each
    colony.db ...  the server's own

Everything is readable by the user only. `layout`, `lock`, `info` and `log` know the standard library alone: taking the
lock is the first thing a new process does, before it spends time on imports.
"""
