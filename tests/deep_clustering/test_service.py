"""A training as a job of the service, with its embedder."""

from __future__ import annotations

from pathlib import Path

from organizer.embed.weights import imported_folder
from organizer.library import Library
from organizer.settings import Settings
from tests.deep_clustering.shapes import write_shapes
from tests.service.servers import begun, ended, problem, serving

ANY = {"If-Match": "*"}
DEC = {"pretrain-epochs": 4, "max-rounds": 3}


def test_a_job_trains_and_saves_an_embedder(tmp_path: Path) -> None:
    folder = write_shapes(tmp_path / "photos", each=8)
    with Library.open_or_create(tmp_path, Settings(device="cpu")) as library:
        library.ingest([folder], embedder="hog")
        library.recluster(k=3)
        next(iter(library.clusters)).rename("First")
        with serving(library) as client:
            body = {"k": 3, "algorithm": "dec", "params": DEC, "save_embedder": "served"}
            untrained = {**body, "algorithm": "kmeans", "params": {}}
            refused = client.post("/reclusters", json=untrained, headers=ANY)
            assert "trains no network" in problem(refused, 422, "invalid")["detail"]
            assert problem(client.post("/reclusters", json=body), 428, "revision-required")

            job = ended(client, begun(client.post("/reclusters", json=body, headers=ANY)))
            assert job["state"] == "done", job
            assert job["result"]["embedder"] == "trained:served"
            assert (imported_folder() / "trained-served.safetensors").is_file()
            status = client.get("/status").json()
            assert status["embedder"] == "trained:served"
            names = [cluster["name"] for cluster in client.get("/clusters").json()["clusters"]]
            assert names.count("First") == 1

            again = ended(client, begun(client.post("/reclusters", json=body, headers=ANY)))
            assert again["state"] == "failed"
            assert "already" in again["problem"]["detail"]
