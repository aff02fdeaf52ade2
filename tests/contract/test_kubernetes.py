"""The manifests fit the schemas of Kubernetes, keep to a policy, and say what the code says too."""

import os
import re
from collections.abc import Iterator
from functools import cache
from importlib import import_module
from pathlib import Path
from typing import Any

import kubernetes_validate
import pytest
import yaml
from typer.main import get_command
from yaml.nodes import MappingNode, Node, ScalarNode, SequenceNode

from service.settings import Settings
from service.web.app import create_app
from tests.contract.test_monitoring import asked, exported
from tests.manifests import (
    FOLDER,
    OVERLAYS,
    ROOT,
    Document,
    Pod,
    image_of,
    named,
    pods,
    render,
    variables,
    why_not,
)
from training import __main__ as training

SCHEMAS = ("1.30", "1.37")  # the oldest that has all that is used here, and the newest known
DOCS = (ROOT / "docs" / "kubernetes.md").read_text()
PLACEHOLDERS = re.compile(r"example\.com|sha256:0{64}|hf://owner")
SUFFIXES = {"Ki": 2**10, "Mi": 2**20, "Gi": 2**30}
COMBINED = {
    "annotations": ("store-volume", "scrape-annotations"),
    "watched-small": ("store-volume", "prometheus-operator", "keda", "retraining"),
    "pulled": ("store-pull", "ingress"),
}
"""Components together, as no overlay has them."""

pytestmark = [
    pytest.mark.medium,
    pytest.mark.skipif(why_not() is not None, reason=str(why_not())),
]


@pytest.fixture(scope="session")
def combined(tmp_path_factory: pytest.TempPathFactory) -> dict[str, Path]:
    """Return made overlays in another namespace."""
    made = {}
    for name, components in COMBINED.items():
        folder = made[name] = tmp_path_factory.mktemp(name)
        own = os.path.relpath(FOLDER, folder)
        kustomization = {
            "apiVersion": "kustomize.config.k8s.io/v1beta1",
            "kind": "Kustomization",
            "namespace": "texts",
            "resources": [f"{own}/base"],
            "components": [f"{own}/components/{component}" for component in components],
        }
        (folder / "kustomization.yaml").write_text(yaml.safe_dump(kustomization))
    return made


def name_of(folder: Path) -> str:
    return folder.name


@pytest.fixture(params=[*OVERLAYS, FOLDER / "kserve"], ids=name_of)
def folder(request: pytest.FixtureRequest) -> Path:
    return Path(request.param)


@pytest.fixture
def overlay(folder: Path) -> tuple[Document, ...]:
    """What an overlay, or the runtime for KServe, renders to."""
    return render(folder)


@pytest.fixture(params=COMBINED)
def combination(request: pytest.FixtureRequest, combined: dict[str, Path]) -> tuple[Document, ...]:
    return render(combined[request.param])


# Schemas


def check_schema(document: Document) -> None:
    """Fail unless a document is one of Kubernetes, or of the extensions that are known here."""
    kind = document["kind"]
    if kind == "ClusterServingRuntime":  # its own few fields are checked nowhere
        [pod] = pods((document,))
        check_pod = {"apiVersion": "v1", "kind": "Pod", "metadata": {"name": "x"}, "spec": pod.spec}
        check_schema(check_pod)
    elif kind in ("ScaledObject", "ServiceMonitor"):
        assert document == through_model(document)
    else:
        for release in SCHEMAS:
            kubernetes_validate.validate(document, release, strict=True)


def through_model(document: Document) -> Document:
    """Return what a model of the extension keeps of a document: all fields that there are."""
    module = {
        "ScaledObject": "cloudcoil.models.keda.v1alpha1",
        "ServiceMonitor": "cloudcoil.models.prometheus_operator.v1",
    }[document["kind"]]
    model = getattr(import_module(module), document["kind"])
    kept: Document = model.model_validate(document).model_dump(
        mode="json", by_alias=True, exclude_unset=True
    )
    return kept


@pytest.mark.slow
def test_overlays_fit_the_schemas(overlay: tuple[Document, ...]) -> None:
    for document in overlay:
        check_schema(document)


@pytest.mark.slow
def test_components_fit_the_schemas_in_other_combinations(
    combination: tuple[Document, ...],
) -> None:
    for document in combination:
        check_schema(document)
        assert document["metadata"].get("namespace", document["metadata"]["name"]) == "texts"


@pytest.mark.parametrize(
    ("kind", "path"),
    [
        ("Deployment", ("spec", "template", "spec", "containers", 0)),
        ("PodDisruptionBudget", ("spec",)),
        ("ServiceMonitor", ("spec", "endpoints", 0)),
        ("ScaledObject", ("spec",)),
    ],
)
def test_a_field_that_is_none_is_found(kind: str, path: tuple[str | int, ...]) -> None:
    document = yaml.safe_load(
        yaml.safe_dump(named(render(FOLDER / "overlays" / "production-keda"), kind))
    )
    part = document
    for key in path:
        part = part[key]
    part["misspelt"] = 1
    with pytest.raises((kubernetes_validate.ValidationError, AssertionError)):
        check_schema(document)


# Policy


def quantity(given: str | int) -> float:
    """Return a quantity of Kubernetes as a number: cores or bytes."""
    written = str(given)
    if written.endswith("m"):
        return float(written[:-1]) / 1000
    suffix = written[-2:]
    return float(written[:-2]) * SUFFIXES[suffix] if suffix in SUFFIXES else float(written)


def test_pods_are_confined(overlay: tuple[Document, ...]) -> None:
    """As the standard `restricted` has it, and beyond."""
    found = list(pods(overlay))
    assert found
    for pod in found:
        context = pod.spec.get("securityContext", {})
        for container in pod.containers:
            image = image_of(container)
            own = context | container["securityContext"]
            assert own["runAsNonRoot"] is True
            assert own["runAsUser"] == image.user
            assert own.get("runAsGroup", image.group) == image.group
            assert own["seccompProfile"] == {"type": "RuntimeDefault"}
            assert own["readOnlyRootFilesystem"] is True
            assert own["allowPrivilegeEscalation"] is False
            assert own["capabilities"] == {"drop": ["ALL"]}
        assert not {"hostNetwork", "hostPID", "hostIPC"} & pod.spec.keys()
        assert not any("hostPath" in volume for volume in pod.spec["volumes"])
        if pod.kind != "ClusterServingRuntime":  # KServe makes these
            assert pod.spec["automountServiceAccountToken"] is False
            assert pod.spec["enableServiceLinks"] is False


def test_containers_have_bounds(overlay: tuple[Document, ...]) -> None:
    for pod in pods(overlay):
        for container in pod.containers:
            asks, most = (container["resources"][part] for part in ("requests", "limits"))
            for resource in ("cpu", "memory"):
                assert 0 < quantity(asks[resource]) <= quantity(most[resource])
            threads = variables(container).get("GATEWISE_THREADS", "1")
            assert int(threads) <= quantity(most["cpu"])
        for volume in pod.spec["volumes"]:
            assert "emptyDir" not in volume or quantity(volume["emptyDir"]["sizeLimit"]) > 0


def test_images_are_pinned(overlay: tuple[Document, ...]) -> None:
    for pod in pods(overlay):
        for container in pod.containers:
            assert re.fullmatch(r"[\w./-]+@sha256:[0-9a-f]{64}", container["image"])


def test_namespaces_refuse_what_is_not_confined(combination: tuple[Document, ...]) -> None:
    labels = named(combination, "Namespace")["metadata"]["labels"]
    assert labels["pod-security.kubernetes.io/enforce"] == "restricted"


# What the code says


def arguments_of(command_line: list[str]) -> tuple[str, dict[str, Any]]:
    """Return command and options of a command line of this project, as its program reads them."""
    python, m, package, *rest = command_line
    assert (python, m) == ("python", "-m")
    command = get_command(import_module(f"{package}.__main__").app)
    context = command.make_context(package, rest)
    words = [*getattr(context, "_protected_args", ()), *context.args]
    if not words:
        return package, context.params
    name, chosen, left = command.resolve_command(context, words)
    return f"{package} {name}", chosen.make_context(name, left, parent=context).params


def test_command_lines_are_those_of_the_programs(overlay: tuple[Document, ...]) -> None:
    for pod in pods(overlay):
        for container in pod.containers:
            image = image_of(container)
            command, given = arguments_of(image.command_line(container))
            mounts = {mount["mountPath"]: mount for mount in container["volumeMounts"]}
            if command == "service":
                set_there = image.variables | variables(container)
                assert (given["host"] or set_there["GATEWISE_HOST"]) == "0.0.0.0"
            elif command == "training train":
                assert given["gate"]
                assert given["resume"]
                assert f"/{given['dataset'].split('/')[1]}" in mounts
            else:
                assert command == "models pull"
                import_module("models.remotes.address").read_address(given["address"])
                assert not mounts[str(given["store"])].get("readOnly")


def test_variables_are_settings(overlay: tuple[Document, ...]) -> None:
    for pod in pods(overlay):
        for container in pod.containers:
            names = [each["name"] for each in container["env"]]
            ours = {name for name in names if name.startswith("GATEWISE_")}
            given = {name: value for name, value in variables(container).items() if name in ours}
            if container["name"] == "training":
                assert ours == {"GATEWISE_STORE", "GATEWISE_WORK"} == training_variables()
            elif container["name"] != "pull":
                fields = {name.removeprefix("GATEWISE_").lower(): name for name in ours}
                assert fields.keys() <= Settings.model_fields.keys()
                Settings(**{field: given[name] for field, name in fields.items() if name in given})


def training_variables() -> set[str]:
    commands: dict[str, Any] = getattr(get_command(training.app), "commands", {})
    return {option.envvar for option in commands["train"].params if option.envvar}


def test_paths_of_variables_are_mounted(overlay: tuple[Document, ...]) -> None:
    for pod in pods(overlay):
        volumes = {volume["name"] for volume in pod.spec["volumes"]}
        for container in pod.containers:
            mounts = {mount["mountPath"] for mount in container["volumeMounts"]}
            assert {mount["name"] for mount in container["volumeMounts"]} <= volumes
            if pod.kind == "ClusterServingRuntime":
                mounts.add("/mnt/models")  # by KServe
            for name, value in variables(container).items():
                if value.startswith("/"):
                    assert any(value.startswith(mount) for mount in mounts), (name, value)


@cache
def routes() -> set[str]:
    """Return the paths of the service, without their parameters."""
    app = create_app(Settings())
    found = {*app.openapi()["paths"], *(getattr(route, "path", "") for route in app.routes)}
    return {re.sub(r"/\{.*", "", path) or "/" for path in found}


def test_probes_ask_for_routes_that_there_are(overlay: tuple[Document, ...]) -> None:
    probed = set()
    for pod in pods(overlay):
        for container in pod.spec["containers"]:
            ports = {port.get("name"): port["containerPort"] for port in container.get("ports", ())}
            for probe in ("startupProbe", "livenessProbe", "readinessProbe"):
                if probe in container:
                    asks = container[probe]["httpGet"]
                    assert ports.get(asks["port"], asks["port"]) == image_of(container).port
                    assert asks["path"] in routes()
                    probed.add((probe, asks["path"]))
    if any(pod.kind in ("Deployment", "ClusterServingRuntime") for pod in pods(overlay)):
        assert probed >= {("livenessProbe", "/livez"), ("readinessProbe", "/readyz")}


def test_ports_are_those_of_the_image(overlay: tuple[Document, ...]) -> None:
    for pod in pods(overlay):
        for container in pod.containers:
            ports = [port["containerPort"] for port in container.get("ports", ())]
            if ports:
                assert (
                    ports == [image_of(container).port] == [Settings.model_fields["port"].default]
                )


def test_pods_have_time_to_end(overlay: tuple[Document, ...]) -> None:
    for pod in pods(overlay):
        for container in pod.spec["containers"]:
            if "lifecycle" in container:
                pause = container["lifecycle"]["preStop"]["sleep"]["seconds"]
                drain = float(variables(container)["GATEWISE_DRAIN_SECONDS"])
                slowest = Settings.model_fields["client_seconds"].default
                grace = pod.spec["terminationGracePeriodSeconds"]
                assert 0 < pause + drain + slowest < grace


def test_trainings_are_not_repeated_in_vain() -> None:
    once = named(render(FOLDER / "overlays" / "train-once"), "Job")["spec"]
    nightly = named(render(FOLDER / "overlays" / "small"), "CronJob")["spec"]["jobTemplate"]["spec"]
    for job in (once, nightly):
        [stops, passes] = job["podFailurePolicy"]["rules"]
        assert stops["action"] == "FailJob"
        assert stops["onExitCodes"]["operator"] == "In"
        assert stops["onExitCodes"]["values"] == [training.BAD_INPUT, training.REFUSED]
        [container] = job["template"]["spec"]["containers"]
        assert stops["onExitCodes"]["containerName"] == container["name"]
        assert passes["action"] == "Ignore"
        assert job["template"]["spec"]["restartPolicy"] == "Never"  # which such a policy asks for
    del once["ttlSecondsAfterFinished"]  # a nightly one is kept by count
    assert once == nightly


def test_metrics_that_decide_are_exported(overlay: tuple[Document, ...]) -> None:
    adapter = yaml.safe_load((FOLDER / "autoscaling" / "prometheus-adapter.yaml").read_text())
    [rule] = adapter["rules"]["custom"]
    assert asked(rule["seriesQuery"]) == {rule["name"]["as"]} <= exported()
    for document in overlay:
        if document["kind"] == "HorizontalPodAutoscaler":
            [pods_metric, processor] = document["spec"]["metrics"]
            assert pods_metric["pods"]["metric"]["name"] == rule["name"]["as"]
            assert processor["resource"]["name"] == "cpu"
        if document["kind"] == "ScaledObject":
            query = document["spec"]["triggers"][0]["metadata"]["query"]
            assert asked(query) == {rule["name"]["as"]}
            assert f'namespace="{document["metadata"]["namespace"]}"' in query


def test_both_autoscalers_decide_alike() -> None:
    one = named(render(FOLDER / "overlays" / "production"), "HorizontalPodAutoscaler")["spec"]
    two = named(render(FOLDER / "overlays" / "production-keda"), "ScaledObject")["spec"]
    behavior = two["advanced"]["horizontalPodAutoscalerConfig"]["behavior"]
    assert behavior == one["behavior"]
    assert (two["minReplicaCount"], two["maxReplicaCount"]) == (
        one["minReplicas"],
        one["maxReplicas"],
    )
    backlog, processor = one["metrics"]
    triggers = [trigger["metadata"] for trigger in two["triggers"]]
    assert triggers[0]["threshold"] == backlog["pods"]["target"]["averageValue"]
    assert triggers[1]["value"] == str(processor["resource"]["target"]["averageUtilization"])


def test_one_autoscaler_alone_sets_the_replicas(overlay: tuple[Document, ...]) -> None:
    kinds = [document["kind"] for document in overlay]
    if "Deployment" in kinds:
        scaled = kinds.count("HorizontalPodAutoscaler") + kinds.count("ScaledObject")
        fixed = "replicas" in named(overlay, "Deployment")["spec"]
        assert scaled + fixed == 1


# What the manifests say of each other


def selects(selector: dict[str, str], labels: dict[str, str]) -> bool:
    return bool(selector) and selector.items() <= labels.items()


def check_references(documents: tuple[Document, ...]) -> None:
    """Fail unless whatever names another object finds it."""
    found = list(pods(documents))
    service_pods = [pod for pod in found if pod.kind == "Deployment"]
    for document in documents:
        kind, spec = document["kind"], document.get("spec", {})
        if kind == "Deployment":
            labels = spec["template"]["metadata"]["labels"]
            spread = spec["template"]["spec"]["topologySpreadConstraints"]
            assert len(spread) == 2
            for each in (spec["selector"], *(constraint["labelSelector"] for constraint in spread)):
                assert selects(each["matchLabels"], labels)
        if kind == "PodDisruptionBudget":
            assert any(selects(spec["selector"]["matchLabels"], pod.labels) for pod in service_pods)
        if kind == "Service":
            assert [selects(spec["selector"], pod.labels) for pod in found].count(True) == 1
            assert {port["targetPort"] for port in spec["ports"]} <= ports_of(service_pods)
        if kind == "NetworkPolicy":
            [pod] = [
                pod for pod in found if selects(spec["podSelector"]["matchLabels"], pod.labels)
            ]
            for rule in spec.get("ingress", ()):
                assert {port["port"] for port in rule["ports"]} <= ports_of([pod])
        if kind in ("HorizontalPodAutoscaler", "ScaledObject"):
            named(documents, "Deployment", spec["scaleTargetRef"]["name"])
        if kind == "ServiceMonitor":
            service = named(documents, "Service")
            assert selects(spec["selector"]["matchLabels"], service["metadata"]["labels"])
            ports = {port["name"] for port in service["spec"]["ports"]}
            assert {endpoint["port"] for endpoint in spec["endpoints"]} <= ports
            assert {endpoint["path"] for endpoint in spec["endpoints"]} <= routes()
            assert service["metadata"]["labels"][spec["jobLabel"]] == "gatewise"
    accounts = {each["metadata"]["name"] for each in documents if each["kind"] == "ServiceAccount"}
    assert {pod.spec["serviceAccountName"] for pod in found} == accounts


def ports_of(found: list[Pod]) -> set[str]:
    return {
        port["name"]
        for pod in found
        for container in pod.containers
        for port in container.get("ports", ())
    }


@pytest.mark.parametrize("folder", OVERLAYS, ids=name_of, indirect=True)
def test_overlays_find_what_they_name(overlay: tuple[Document, ...]) -> None:
    check_references(overlay)


def test_combinations_find_what_they_name(combination: tuple[Document, ...]) -> None:
    check_references(combination)


def policies_of(documents: tuple[Document, ...], pod: Pod) -> list[Document]:
    return [
        document["spec"]
        for document in documents
        if document["kind"] == "NetworkPolicy"
        and selects(document["spec"]["podSelector"]["matchLabels"], pod.labels)
    ]


@pytest.mark.parametrize("folder", OVERLAYS, ids=name_of, indirect=True)
def test_pods_reach_and_are_reached_by_what_is_named(overlay: tuple[Document, ...]) -> None:
    for pod in pods(overlay):
        policies = policies_of(overlay, pod)
        assert {"Ingress", "Egress"} <= {kind for each in policies for kind in each["policyTypes"]}
        into = [rule for each in policies for rule in each.get("ingress", ())]
        out = [rule for each in policies for rule in each.get("egress", ())]
        assert all(rule.get("from") and rule.get("ports") for rule in into)
        assert bool(into) == (pod.kind == "Deployment")
        ports = {port["port"] for rule in out for port in rule["ports"]}
        assert ports == ({53, 443} if "initContainers" in pod.spec else set())


def test_prometheus_reaches_what_it_scrapes(combination: tuple[Document, ...]) -> None:
    service = named(combination, "Deployment")
    [pod] = list(pods((service,)))
    annotations = service["spec"]["template"]["metadata"]["annotations"]
    scraped = any(document["kind"] == "ServiceMonitor" for document in combination)
    if "prometheus.io/scrape" in annotations:
        scraped = True
        assert annotations["prometheus.io/path"] in routes()
        [container] = pod.spec["containers"]
        assert annotations["prometheus.io/port"] == str(image_of(container).port)
    admitted = any(
        source.get("namespaceSelector", {})
        .get("matchLabels", {})
        .get("kubernetes.io/metadata.name")
        == "monitoring"
        for policy in policies_of(combination, pod)
        for rule in policy.get("ingress", ())
        for source in rule["from"]
    )
    assert scraped == admitted


def test_what_is_offered_outside_is_not_for_operators() -> None:
    documents = render(FOLDER / "overlays" / "production")
    spec = named(documents, "Ingress")["spec"]
    [rule] = spec["rules"]
    assert [rule["host"]] == spec["tls"][0]["hosts"]
    paths = {path["path"] for path in rule["http"]["paths"]}
    assert paths <= routes()
    assert {"/predict", "/stream", "/models"} <= paths
    page = (ROOT / "service" / "web" / "page" / "index.html").read_text()
    assert {f"/{linked}" for linked in re.findall(r'<a href="([^"]+)"', page)} <= paths
    assert {"/openapi.json", "/static-offline-docs"} <= paths  # of which /docs is made
    assert not paths & {"/metrics", "/admin", "/admin/models", "/livez", "/readyz"}
    assert all(path["pathType"] == "Exact" for path in rule["http"]["paths"] if path["path"] == "/")
    service = named(documents, "Service")
    for path in rule["http"]["paths"]:
        backend = path["backend"]["service"]
        assert backend["name"] == service["metadata"]["name"]
        assert backend["port"]["name"] in {port["name"] for port in service["spec"]["ports"]}


def test_the_runtime_declares_no_protocol_that_is_not_spoken() -> None:
    runtime = named(render(FOLDER / "kserve"), "ClusterServingRuntime")["spec"]
    assert not {path for path in routes() if re.match(r"/v[12](/|$)", path)}
    assert "protocolVersions" not in runtime
    example = yaml.safe_load((FOLDER / "kserve" / "inference-service.yaml").read_text())
    model = example["spec"]["predictor"]["model"]
    formats = {each["name"] for each in runtime["supportedModelFormats"] if each["autoSelect"]}
    assert model["modelFormat"]["name"] in formats
    assert runtime["annotations"]["prometheus.kserve.io/path"] in routes()


# What an operator sets


def patch_files() -> list[Path]:
    return sorted(FOLDER.glob("overlays/*/patches/*.yaml"))


def leaves(node: Node, above: tuple[int, ...] = (), *, depth: int = 0) -> Iterator[tuple[int, ...]]:
    """Yield for each value that a patch sets the lines of its key and of the keys around it.

    What says which object, or which part of a list, is patched sets nothing.
    """
    if isinstance(node, MappingNode):
        keys = [key.value for key, _ in node.value]
        identity = {"$patch"} | ({"name"} if depth else set())
        identity |= {"op", "path"} if "op" in keys else set()
        for key, value in node.value:
            if key.value in identity or (not depth and key.value in ("apiVersion", "kind")):
                continue
            here = () if not depth and key.value in ("metadata", "spec") else (key.start_mark.line,)
            yield from leaves(value, (*above, *here), depth=depth + 1)
    elif isinstance(node, SequenceNode) and not all(
        isinstance(each, ScalarNode) for each in node.value
    ):
        for each in node.value:
            yield from leaves(each, (*above, each.start_mark.line), depth=depth + 1)
    else:
        yield above


def is_commented(lines: list[str], number: int) -> bool:
    before = lines[number - 1].strip() if number else ""
    return " # " in lines[number] or before.startswith("#")


@pytest.mark.parametrize("path", patch_files(), ids=lambda path: f"{path.parts[-3]}-{path.stem}")
def test_each_value_to_set_has_its_comment(path: Path) -> None:
    lines = path.read_text().splitlines()
    values = [found for node in yaml.compose_all(path.read_text()) for found in leaves(node)]
    assert values
    for value in values:
        assert any(is_commented(lines, number) for number in value), lines[value[-1]]


@pytest.mark.parametrize("folder", [*OVERLAYS, FOLDER / "kserve"], ids=name_of)
def test_each_patch_counts_and_each_image_has_its_comment(folder: Path) -> None:
    path = folder / "kustomization.yaml"
    lines = path.read_text().splitlines()
    kustomization = yaml.safe_load(path.read_text())
    listed = {folder / patch["path"] for patch in kustomization.get("patches", ())}
    assert listed == {each for each in patch_files() if folder in each.parents}
    for number, line in enumerate(lines):
        if line.startswith("namespace:"):
            assert is_commented(lines, number)
        if line.startswith("images:"):
            assert is_commented(lines, number + 2)


def test_no_placeholder_is_left_where_no_patch_sets_it() -> None:
    """Nothing that an operator must set stands in the base or in a component alone."""
    for path in FOLDER.glob("base/*.yaml"):
        assert not PLACEHOLDERS.search(path.read_text()), path
    set_by_overlays = "".join(path.read_text() for path in patch_files())
    for path in FOLDER.glob("components/*/*.yaml"):
        for kind in set(PLACEHOLDERS.findall(path.read_text())):
            assert kind in set_by_overlays, path


# Documentation


def test_documentation_names_all_parts() -> None:
    for part in (*OVERLAYS, *(FOLDER / "components").iterdir(), FOLDER / "kserve"):
        assert f"`{part.relative_to(FOLDER).as_posix()}`" in DOCS, part


def test_documentation_names_what_must_be_there_before(combination: tuple[Document, ...]) -> None:
    text = yaml.safe_dump_all(combination)
    secrets = set(re.findall(r"(?:secretName|secretKeyRef:\s+\S+: \S+\s+name): (\S+)", text))
    secrets |= set(re.findall(r"secretRef:\s+name: (\S+)", text))
    assert secrets
    claims = set(re.findall(r"claimName: (\S+)", text))
    made = {each["metadata"]["name"] for each in combination}
    for name in secrets | (claims - made):
        assert f"`{name}`" in DOCS, name
