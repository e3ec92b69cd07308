#!/bin/sh
# The cloud's own command line. `tccli` has no "http" switch: the scheme goes into --endpoint. A region is demanded by
# the tool and ignored by the product.
set -eu
here=$(cd "$(dirname "$0")" && pwd)
kept="$here/../../.edgefour/credentials.json"
field() { sed -n "s/.*\"$1\": *\"\([^\"]*\)\".*/\1/p" "$kept"; }
export TENCENTCLOUD_SECRET_ID="${TENCENTCLOUD_SECRET_ID:-$(field secretId)}"
export TENCENTCLOUD_SECRET_KEY="${TENCENTCLOUD_SECRET_KEY:-$(field secretKey)}"
export TENCENTCLOUD_REGION="${TENCENTCLOUD_REGION:-ap-guangzhou}"
zone=${EDGEFOUR_ZONE:-$(field zoneId)}
api=${EDGEFOUR_API:-127.0.0.1:7400}
origin_port=${ORIGIN_PORT:-${api##*:}}
teo() { tccli teo "$@" --version 2022-09-01 --endpoint "http://$api"; }

proxy=$(teo CreateL4Proxy --ZoneId "$zone" --ProxyName "tccli-$(date +%s)" --Area overseas --StaticIp on --filter ProxyId --output text)
teo DescribeL4Proxy --ZoneId "$zone" --Filters "[{\"Name\":\"proxy-id\",\"Values\":[\"$proxy\"]}]" \
  --waiter "{'expr':'L4Proxies[0].Status','to':'online','timeout':30,'interval':1}" >/dev/null
teo CreateL4ProxyRules --ZoneId "$zone" --ProxyId "$proxy" --L4ProxyRules \
  "[{\"Protocol\":\"TCP\",\"PortRange\":[\"8080\"],\"OriginType\":\"IP_DOMAIN\",\"OriginValue\":[\"127.0.0.1\"],\"OriginPortRange\":\"$origin_port\"}]" >/dev/null
teo DescribeL4ProxyRules --ZoneId "$zone" --ProxyId "$proxy" --Offset 0 --Limit 20 \
  --waiter "{'expr':'L4ProxyRules[0].Status','to':'online','timeout':30,'interval':1}" >/dev/null
entry=$(teo DescribeL4Proxy --ZoneId "$zone" --Filters "[{\"Name\":\"proxy-id\",\"Values\":[\"$proxy\"]}]" --filter 'L4Proxies[0].Ips[0]' --output text)
echo "$proxy http://$entry:8080/healthz says: $(curl -sS "http://$entry:8080/healthz")"
