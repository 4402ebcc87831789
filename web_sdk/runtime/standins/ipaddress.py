# Of URLs with an address in brackets, `urllib.parse` asks whether it is one.
class IPv4Address:
    pass


def ip_address(address):
    raise ValueError(f"Satsuma's interpreter comes without ipaddress, and can't tell whether {address!r} is an address")
