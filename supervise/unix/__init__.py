"""System calls, each behind one room: spawn, reap, signals, users, files, sockets."""
