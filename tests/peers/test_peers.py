from __future__ import annotations

from pathlib import Path

import psycopg
import pytest
import redis
from pydicom.data import get_testdata_file

from tests.peers.dcmtk import Dcmtk, StoreScp
from tests.peers.orthanc import Orthanc

pytestmark = pytest.mark.interop


def test_redis_is_empty_and_takes_values(redis_url: str) -> None:
    with redis.Redis.from_url(redis_url) as client:
        assert client.dbsize() == 0
        client.set("key", "value")
        assert client.get("key") == b"value"


def test_every_test_gets_a_postgresql_database_of_its_own(postgres_server: str, postgres_url: str) -> None:
    with psycopg.connect(postgres_url) as connection:
        found = connection.execute("SELECT count(*) FROM pg_tables WHERE schemaname = 'public'").fetchone()
    assert found == (0,)
    assert postgres_url.startswith(postgres_server)


def test_orthanc_takes_an_instance_from_storescu_and_finds_it(orthanc: Orthanc, dcmtk: Dcmtk) -> None:
    file = Path(str(get_testdata_file("CT_small.dcm")))
    assert orthanc.instances() == []
    assert dcmtk.storescu(orthanc.dicom_port, file, calling="ANYONE", called=orthanc.ae_title) == 0
    [stored] = orthanc.instances()
    uid = str(orthanc.tags(stored)["SOPInstanceUID"])
    assert orthanc.find_instances(uid) == [stored]
    assert orthanc.download(stored)[128:132] == b"DICM"


def test_orthanc_sends_to_a_modality_it_was_told_of(orthanc: Orthanc, dcmtk: Dcmtk, storescp: StoreScp) -> None:
    file = Path(str(get_testdata_file("CT_small.dcm")))
    assert dcmtk.storescu(orthanc.dicom_port, file, called=orthanc.ae_title) == 0
    orthanc.know_modality("receiver", storescp.ae_title, storescp.port)
    orthanc.send("receiver", orthanc.instances())
    assert len(list(storescp.folder.iterdir())) == 1
