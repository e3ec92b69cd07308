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

variable "second" {
  type        = string
  default     = "127.0.0.2"
  description = "Another address where the same port answers."
}

variable "spare" {
  type        = string
  default     = "127.0.0.3"
  description = "One more, for when both are down."
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

# Two origins that share the traffic by their weights, and a spare one that gets it while both are down.
resource "tencentcloud_teo_origin_group" "main" {
  zone_id = var.zone_id
  name    = "main"
  type    = "GENERAL"

  records {
    record = var.origin.address
    type   = "IP_DOMAIN"
    weight = 75
  }

  records {
    record = var.second
    type   = "IP_DOMAIN"
    weight = 25
  }
}

resource "tencentcloud_teo_origin_group" "spare" {
  zone_id = var.zone_id
  name    = "spare"
  type    = "GENERAL"

  records {
    record = var.spare
    type   = "IP_DOMAIN"
    weight = 100
  }
}

# The provider's id of a group is <zone>#<group>.
resource "tencentcloud_teo_load_balancer" "front" {
  zone_id = var.zone_id
  name    = "front"
  type    = "GENERAL"

  origin_groups {
    priority        = "priority_1"
    origin_group_id = split("#", tencentcloud_teo_origin_group.main.id)[1]
  }

  origin_groups {
    priority        = "priority_2"
    origin_group_id = split("#", tencentcloud_teo_origin_group.spare.id)[1]
  }

  health_checker {
    type               = "TCP"
    port               = var.origin.port
    interval           = 30
    timeout            = 5
    health_threshold   = 3
    critical_threshold = 2
  }

  steering_policy = "Pritory"
  failover_policy = "OtherRecordInOriginGroup"
}

resource "tencentcloud_teo_l4_proxy_rule" "balanced" {
  zone_id  = var.zone_id
  proxy_id = tencentcloud_teo_l4_proxy.first.proxy_id

  l4_proxy_rules {
    protocol                    = "TCP"
    port_range                  = ["8081"]
    origin_type                 = "LB"
    origin_value                = [split("#", tencentcloud_teo_load_balancer.front.id)[1]]
    origin_port_range           = tostring(var.origin.port)
    client_ip_pass_through_mode = "OFF"
    session_persist             = "off"
  }
}

output "proxy_id" {
  value = tencentcloud_teo_l4_proxy.first.proxy_id
}
