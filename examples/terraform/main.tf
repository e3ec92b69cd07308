# The cloud's own provider; only `domain` and `protocol` are ours. See README.md for the two host names it needs.
terraform {
  required_providers {
    tencentcloud = {
      source  = "tencentcloudstack/tencentcloud"
      version = "1.83.25"
    }
  }
}

provider "tencentcloud" {
  region   = "ap-guangzhou"
  protocol = "HTTP"
  domain   = "edgefour.test:7400"
}

variable "zone_id" {
  type        = string
  description = "The zone that exists from the start: zoneId in .edgefour/credentials.json."
}

variable "origin" {
  type        = object({ address = string, port = number })
  default     = { address = "127.0.0.1", port = 7400 }
  description = "Where the rule forwards to."
}

resource "tencentcloud_teo_l4_proxy" "first" {
  zone_id             = var.zone_id
  proxy_name          = "terraform"
  area                = "overseas"
  static_ip           = "on"
  ipv6                = "off"
  accelerate_mainland = "off"
}

resource "tencentcloud_teo_l4_proxy_rule" "web" {
  zone_id  = var.zone_id
  proxy_id = tencentcloud_teo_l4_proxy.first.proxy_id

  l4_proxy_rules {
    protocol                    = "TCP"
    port_range                  = ["8080"]
    origin_type                 = "IP_DOMAIN"
    origin_value                = [var.origin.address]
    origin_port_range           = tostring(var.origin.port)
    client_ip_pass_through_mode = "OFF"
    session_persist             = "off"
  }
}

output "proxy_id" {
  value = tencentcloud_teo_l4_proxy.first.proxy_id
}
