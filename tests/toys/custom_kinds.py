"""What two operators accept, as JSON schemas: the part of their resource definitions that deploy/kubernetes uses.

Written by hand from KEDA's ScaledObject specification and Prometheus scaler
(https://keda.sh/docs/latest/reference/scaledobject-spec, https://keda.sh/docs/latest/scalers/prometheus) and from the
API reference of the Prometheus operator (https://prometheus-operator.dev/docs/api-reference/api). Every field that is
not here is refused, so a typing error is found; a new field is looked up there first.
"""

from __future__ import annotations

from typing import Any

Schema = dict[str, Any]
TEXT: Schema = {"type": "string", "minLength": 1}
COUNT: Schema = {"type": "integer", "minimum": 1}
DURATION: Schema = {"type": "string", "pattern": r"^\d+(ms|s|m|h)$"}


def fields(required: dict[str, Schema], **optional: Schema) -> Schema:
    """An object with these fields and no others."""
    return {
        "type": "object",
        "properties": required | optional,
        "required": [*required],
        "additionalProperties": False,
    }


def listed(item: Schema) -> Schema:
    return {"type": "array", "items": item, "minItems": 1}


def resource(version: str, kind: str, spec: Schema) -> Schema:
    metadata = fields({"name": TEXT}, namespace=TEXT, labels={"type": "object"}, annotations={"type": "object"})
    return fields({"apiVersion": {"const": version}, "kind": {"const": kind}, "metadata": metadata, "spec": spec})


EXPRESSION = fields({"key": TEXT, "operator": {"enum": ["In", "NotIn", "Exists", "DoesNotExist"]}}, values=listed(TEXT))
SELECTOR = fields({}, matchLabels={"type": "object", "additionalProperties": TEXT}, matchExpressions=listed(EXPRESSION))

POD_MONITOR = resource(
    "monitoring.coreos.com/v1",
    "PodMonitor",
    fields(
        {
            "selector": SELECTOR,
            "podMetricsEndpoints": listed(fields({}, port=TEXT, path=TEXT, interval=DURATION, scrapeTimeout=DURATION)),
        }
    ),
)

POLICY = fields({"type": {"enum": ["Pods", "Percent"]}, "value": COUNT, "periodSeconds": COUNT | {"maximum": 1800}})
RULES = fields(
    {},
    policies=listed(POLICY),
    selectPolicy={"enum": ["Max", "Min", "Disabled"]},
    stabilizationWindowSeconds={"type": "integer", "minimum": 0, "maximum": 3600},
)
PROMETHEUS = fields(
    {
        "type": {"const": "prometheus"},
        # Values of a trigger's metadata are texts, numbers too.
        "metadata": fields(
            {"serverAddress": TEXT | {"pattern": "^https?://"}, "query": TEXT, "threshold": TEXT},
            activationThreshold=TEXT,
            ignoreNullValues={"enum": ["true", "false"]},
        ),
    },
    name=TEXT,
    metricType={"enum": ["AverageValue", "Value"]},
)
SCALED_OBJECT = resource(
    "keda.sh/v1alpha1",
    "ScaledObject",
    fields(
        {
            "scaleTargetRef": fields({"name": TEXT}, kind=TEXT, apiVersion=TEXT),
            "triggers": listed(PROMETHEUS),
        },
        minReplicaCount={"type": "integer", "minimum": 0},
        maxReplicaCount=COUNT,
        pollingInterval=COUNT,
        cooldownPeriod=COUNT,
        advanced=fields(
            {}, horizontalPodAutoscalerConfig=fields({}, behavior=fields({}, scaleUp=RULES, scaleDown=RULES))
        ),
    ),
)

SCHEMAS = {"PodMonitor": POD_MONITOR, "ScaledObject": SCALED_OBJECT}
