"""docker-compose.yml, read as Docker would: there is no Docker engine on the machines that test."""

import subprocess
from pathlib import Path

import yaml
from world import binary

REPOSITORY = Path(__file__).parent.parent.parent


def test_the_compose_file_fits_the_bridge():
    """Each variable that it sets is one that the bridge knows; what must survive is on a volume; the health port is the listening one."""
    compose = yaml.safe_load((REPOSITORY / "docker-compose.yml").read_text())
    bridge = compose["services"]["bridge"]
    help_text = subprocess.run([binary(), "run", "--help"], capture_output=True, text=True, check=True).stdout
    for variable in bridge["environment"]:
        assert f"[env: {variable}" in help_text, f"the bridge knows no {variable}"
    folders = [mount.split(":")[1] for mount in bridge["volumes"]]
    assert any(bridge["environment"]["CHATBRIDGE_DATA"].startswith(folder + "/") for folder in folders)
    port = bridge["environment"]["CHATBRIDGE_LISTEN"].rsplit(":", 1)[1]
    assert any(mapping.endswith(f":{port}") for mapping in bridge["ports"])
    assert set(compose["volumes"]) == {mount.split(":")[0] for mount in bridge["volumes"]}
    dockerfile = bridge["build"]["dockerfile_inline"].splitlines()
    assert any(line.startswith("USER ") for line in dockerfile), "not as root"
    assert "ca-certificates" in bridge["build"]["dockerfile_inline"]
