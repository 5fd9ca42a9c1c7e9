"""The whole system under load, as processes against real peers: soak, burst, many senders, slow PACS (docs/load.md).

The network is replaced by an exact copy step (`tests.copy_worker`), as every output says: these runs are about what is
around it. Senders and the receiving PACS are DCMTK's, which share no code with ours.
"""
