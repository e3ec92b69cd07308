#!/bin/sh
# Creates an L4 proxy with one TCP rule and fetches a page through it. The origin is whatever listens on
# ORIGIN_PORT of this machine; by default EdgeFour's own health page.
set -eu
here=$(cd "$(dirname "$0")" && pwd)
zone=${EDGEFOUR_ZONE:-$(sed -n 's/.*"zoneId": *"\([^"]*\)".*/\1/p' "$here/../../.edgefour/credentials.json")}
api=${EDGEFOUR_API:-127.0.0.1:7400}
origin_port=${ORIGIN_PORT:-${api##*:}}
call() { sh "$here/call.sh" "$@"; }
value() { sed -n "s/.*\"$1\":\[*\"\([^\"]*\)\".*/\1/p"; }
until_online() { # until_online ACTION JSON
  tries=0
  while [ "$(call "$@" | value Status)" != online ]; do
    tries=$((tries + 1))
    [ $tries -lt 50 ] || { echo "not online after 50 tries" >&2; exit 1; }
    sleep 0.2
  done
}

created=$(call CreateL4Proxy "{\"ZoneId\":\"$zone\",\"ProxyName\":\"curl-$(date +%s)\",\"Area\":\"overseas\",\"StaticIp\":\"on\"}")
proxy=$(echo "$created" | value ProxyId)
[ -n "$proxy" ] || { echo "$created" >&2; exit 1; }
one="{\"ZoneId\":\"$zone\",\"Filters\":[{\"Name\":\"proxy-id\",\"Values\":[\"$proxy\"]}]}"
until_online DescribeL4Proxy "$one"
call CreateL4ProxyRules "{\"ZoneId\":\"$zone\",\"ProxyId\":\"$proxy\",\"L4ProxyRules\":[{\"Protocol\":\"TCP\",\"PortRange\":[\"8080\"],\"OriginType\":\"IP_DOMAIN\",\"OriginValue\":[\"127.0.0.1\"],\"OriginPortRange\":\"$origin_port\"}]}"
until_online DescribeL4ProxyRules "{\"ZoneId\":\"$zone\",\"ProxyId\":\"$proxy\",\"Offset\":0,\"Limit\":20}"
entry=$(call DescribeL4Proxy "$one" | value Ips)
echo "$proxy http://$entry:8080/healthz says: $(curl -sS "http://$entry:8080/healthz")"
