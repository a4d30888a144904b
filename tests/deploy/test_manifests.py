"""compose.yaml, the Kubernetes manifests and the example for Traefik: valid by their schemas, and in accord with the image and Earshot."""

import json
from importlib.resources import files
from typing import Any

import jsonschema_rs
import kubernetes_validate
import pytest
import yaml

from services.settings import TABLE
from services.web.routes import call_files
from tests.deploy.dockerfile import stages
from tests.process import ROOT

KUBERNETES = list(yaml.safe_load_all((ROOT / "deploy/kubernetes/earshot.yaml").read_text()))
COMPOSE: dict[str, Any] = yaml.safe_load((ROOT / "compose.yaml").read_text())
TRAEFIK: dict[str, Any] = yaml.safe_load((ROOT / "deploy/traefik.yaml").read_text())
SETTINGS = {variable.name for variable in TABLE.values()}


def megabytes(quantity: str) -> int:
    """Of a quantity such as `256Mi`, `1Gi` or compose's `256m`."""
    return int(quantity.rstrip("GMim")) * (1024 if "G" in quantity else 1)


def schema_errors(compose: dict[str, Any]) -> list[str]:
    schema = json.loads((files("check_jsonschema") / "builtin_schemas/vendor/compose-spec.json").read_text())
    return [error.message for error in jsonschema_rs.validator_for(schema).iter_errors(compose)]


def test_compose_is_valid() -> None:
    assert schema_errors(COMPOSE) == []
    assert schema_errors(COMPOSE | {"services": {"earshot1": {"read_onyl": True}}}) != []


def test_compose_runs_earshot_twice_without_rights_on_one_journal() -> None:
    apps = [service for service in COMPOSE["services"].values() if "build" in service]
    assert len(apps) == 2
    for app in apps:
        assert app["read_only"]
        assert app["cap_drop"] == ["ALL"]
        assert app["security_opt"] == ["no-new-privileges:true"]
        assert app["environment"].keys() <= SETTINGS
        assert "@postgres/" in app["environment"]["DATABASE_URL"]
        assert "ports" not in app
    assert {mount for app in apps for mount in app["volumes"]} >= {"data1:/data", "data2:/data"}


def test_compose_trusts_the_proxy_alone_and_hides_the_database() -> None:
    services, networks = COMPOSE["services"], COMPOSE["networks"]
    caddy = services["caddy"]["networks"]["front"]["ipv4_address"]
    assert {services[name]["environment"]["EARSHOT_TRUSTED_PROXIES"] for name in ("earshot1", "earshot2")} == {caddy}
    assert services["postgres"]["networks"] == ["back"]
    assert networks["back"]["internal"]
    assert services["caddy"]["environment"]["EARSHOT_PROCESSES"].split() == ["earshot1:8080", "earshot2:8080"]
    assert "handle /calls/*" in (ROOT / "deploy/Caddyfile").read_text()


@pytest.mark.parametrize("document", KUBERNETES, ids=lambda document: f"{document['kind']} {document['metadata']['name']}")
def test_a_manifest_is_valid(document: dict[str, Any]) -> None:
    kubernetes_validate.validate(document, "1.37.0", strict=True)
    with pytest.raises(kubernetes_validate.ValidationError):
        kubernetes_validate.validate(document | {"speck": {}}, "1.37.0", strict=True)


def test_kubernetes_runs_the_image_as_its_user_and_asks_it_by_a_name_that_it_answers_to() -> None:
    (pods,) = [document["spec"]["template"]["spec"] for document in KUBERNETES if document["kind"] == "StatefulSet"]
    user = stages((ROOT / "Dockerfile").read_text())[-1].all("USER")[0]
    assert f"{pods['securityContext']['runAsUser']}:{pods['securityContext']['runAsGroup']}" == user
    assert pods["securityContext"]["runAsNonRoot"]
    (app,) = pods["containers"]
    assert app["securityContext"]["readOnlyRootFilesystem"]
    assert app["securityContext"]["capabilities"] == {"drop": ["ALL"]}
    for probe in ("startupProbe", "livenessProbe", "readinessProbe"):
        assert {"name": "Host", "value": "localhost"} in app[probe]["httpGet"]["httpHeaders"]
        assert app[probe]["httpGet"]["path"] == "/health/live"
    (values,) = [document["data"] for document in KUBERNETES if document["kind"] == "ConfigMap"]
    assert values.keys() <= SETTINGS


def test_a_full_folder_of_temporary_files_ends_no_process() -> None:
    """Kubernetes evicts a pod for what is over the limit on disk. In memory it counts as memory of the container."""
    (pods,) = [document["spec"]["template"]["spec"] for document in KUBERNETES if document["kind"] == "StatefulSet"]
    (tmp,) = [volume["emptyDir"] for volume in pods["volumes"] if volume["name"] == "tmp"]
    (app,) = pods["containers"]
    assert tmp["medium"] == "Memory"
    assert 2 * megabytes(tmp["sizeLimit"]) <= megabytes(app["resources"]["limits"]["memory"])
    size = COMPOSE["services"]["earshot1"]["tmpfs"][0].partition("size=")[2].partition(",")[0]
    for place in (megabytes(tmp["sizeLimit"]), megabytes(size)):
        assert place * 2**20 >= call_files._AT_ONCE * call_files._LARGEST


def test_kubernetes_leads_to_the_pods_and_keeps_a_page_at_its_process() -> None:
    (labels,) = [document["spec"]["template"]["metadata"]["labels"] for document in KUBERNETES if document["kind"] == "StatefulSet"]
    services = {document["metadata"]["name"]: document for document in KUBERNETES if document["kind"] == "Service"}
    assert all(service["spec"]["selector"] == labels for service in services.values())
    (ingress,) = [document["spec"] for document in KUBERNETES if document["kind"] == "Ingress"]
    backend = ingress["rules"][0]["http"]["paths"][0]["backend"]["service"]
    sticky = services[backend["name"]]["metadata"]["annotations"]
    assert sticky["traefik.ingress.kubernetes.io/service.sticky.cookie"] == "true"


def test_traefik_keeps_a_page_at_its_process_and_never_asks_twice() -> None:
    http = TRAEFIK["http"]
    assert http.keys() == {"routers", "services"}  # a middleware that retries would dial a call again
    (router,) = http["routers"].values()
    balancer = http["services"][router["service"]]["loadBalancer"]
    assert balancer["sticky"]["cookie"]["httpOnly"]
    assert balancer["healthCheck"]["hostname"] == "localhost"
    assert [server["url"].rpartition(":")[2] for server in balancer["servers"]] == ["8081", "8082"]
