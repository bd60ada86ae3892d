"""What the scoring process has in memory.

pyarrow loads cloudpickle where it is installed; nothing gives it a model's file.
"""

import subprocess
import sys

PROGRAM = """
import sys
from pathlib import Path
import numpy as np
import serving.app
from serving.scorer.champions import Champions
home = Path(sys.argv[1])
champions = Champions(home / "models", home / "keys" / "signing.pub")
champion = champions.of("shipment")
champion.scorer.score(np.zeros((3, len(champion.model.encoding.names))))
banned = ("lightgbm", "mlflow", "shap", "joblib", "dill", "skops", "sklearn")
print([name for name in banned if name in sys.modules])
"""


def test_a_process_that_scores_loads_no_library_that_reads_models(home: object) -> None:
    done = subprocess.run(
        [sys.executable, "-c", PROGRAM, str(home)], capture_output=True, text=True, check=False
    )

    assert done.returncode == 0, done.stderr
    assert done.stdout.splitlines()[-1] == "[]"
