#!/bin/sh
# sh call.sh ACTION 'JSON': one signed call (TC3-HMAC-SHA256) with curl and openssl only. Prints the answer.
set -eu
here=$(cd "$(dirname "$0")" && pwd)
kept="$here/../../.edgefour/credentials.json"
field() { sed -n "s/.*\"$1\": *\"\([^\"]*\)\".*/\1/p" "$kept"; }
api=${EDGEFOUR_API:-127.0.0.1:7400}
id=${TENCENTCLOUD_SECRET_ID:-$(field secretId)}
key=${TENCENTCLOUD_SECRET_KEY:-$(field secretKey)}
action=$1
body=$2

now=$(date +%s)
day=$(date -u -d "@$now" +%F 2>/dev/null || date -u -r "$now" +%F)
sha256() { openssl dgst -sha256 -r | cut -d' ' -f1; }
# hmac KEY-AS-HEX < data: the digest as hex
hmac() { openssl dgst -sha256 -mac HMAC -macopt "hexkey:$1" -r | cut -d' ' -f1; }
hex() { od -An -tx1 | tr -d ' \n'; }

canonical="POST
/

content-type:application/json
host:$api
x-tc-action:$action

content-type;host;x-tc-action
$(printf %s "$body" | sha256)"
scope="$day/teo/tc3_request"
to_sign="TC3-HMAC-SHA256
$now
$scope
$(printf %s "$canonical" | sha256)"
dated=$(printf %s "$day" | hmac "$(printf %s "TC3$key" | hex)")
service=$(printf teo | hmac "$dated")
signing=$(printf tc3_request | hmac "$service")
signature=$(printf %s "$to_sign" | hmac "$signing")

curl -sS "http://$api/" \
  -H 'Content-Type: application/json' \
  -H "X-TC-Action: $action" \
  -H 'X-TC-Version: 2022-09-01' \
  -H "X-TC-Timestamp: $now" \
  -H "Authorization: TC3-HMAC-SHA256 Credential=$id/$scope, SignedHeaders=content-type;host;x-tc-action, Signature=$signature" \
  --data-binary "$body"
echo
