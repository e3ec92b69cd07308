"""The official Python SDK, as its own documentation uses it; only the endpoint is ours."""
import http.server
import json
import os
import pathlib
import threading
import time
import urllib.request

from tencentcloud.common.credential import Credential
from tencentcloud.common.profile.client_profile import ClientProfile
from tencentcloud.common.profile.http_profile import HttpProfile
from tencentcloud.teo.v20220901 import models
from tencentcloud.teo.v20220901.teo_client import TeoClient


def settings():
    kept = pathlib.Path(__file__).parents[2] / ".edgefour" / "credentials.json"
    found = json.loads(kept.read_text()) if kept.exists() else {}
    env = os.environ
    return (
        env.get("EDGEFOUR_API", "127.0.0.1:7400"),
        env.get("TENCENTCLOUD_SECRET_ID") or found["secretId"],
        env.get("TENCENTCLOUD_SECRET_KEY") or found["secretKey"],
        env.get("EDGEFOUR_ZONE") or found["zoneId"],
    )


API, SECRET_ID, SECRET_KEY, ZONE = settings()
PROFILE = ClientProfile(httpProfile=HttpProfile(protocol="http", endpoint=API))
CLIENT = TeoClient(Credential(SECRET_ID, SECRET_KEY), "", PROFILE)


def call(action, **fields):
    request = getattr(models, f"{action}Request")()
    request.from_json_string(json.dumps({"ZoneId": ZONE, **fields}))
    return getattr(CLIENT, action)(request)


def until(what, status):
    for _ in range(100):
        now = status()
        if now == "online":
            return
        if now == "fail":
            raise SystemExit(f"the {what} failed; `edgefour status` says why")
        time.sleep(0.1)
    raise SystemExit(f"the {what} is not online after 10 s")


class Hello(http.server.BaseHTTPRequestHandler):
    def do_GET(self):
        self.send_response(200)
        self.end_headers()
        self.wfile.write(b"hello from the origin\n")

    def log_message(self, *_):
        pass


def main():
    origin = http.server.HTTPServer(("127.0.0.1", 0), Hello)
    threading.Thread(target=origin.serve_forever, daemon=True).start()

    name = f"python-{int(time.time())}"
    proxy = call("CreateL4Proxy", ProxyName=name, Area="overseas", StaticIp="on").ProxyId

    def describe():
        return call("DescribeL4Proxy", Filters=[{"Name": "proxy-id", "Values": [proxy]}]).L4Proxies[0]

    until("proxy", lambda: describe().Status)
    rule = {
        "Protocol": "TCP",
        "PortRange": ["8080"],
        "OriginType": "IP_DOMAIN",
        "OriginValue": ["127.0.0.1"],
        "OriginPortRange": str(origin.server_port),
    }
    call("CreateL4ProxyRules", ProxyId=proxy, L4ProxyRules=[rule])
    until("rule", lambda: call("DescribeL4ProxyRules", ProxyId=proxy, Offset=0, Limit=20).L4ProxyRules[0].Status)

    url = f"http://{describe().Ips[0]}:8080/"
    with urllib.request.urlopen(url) as answer:
        print(proxy, url, "says:", answer.read().decode().strip())


if __name__ == "__main__":
    main()
