"""What somebody may hand in instead of an answer to the exercise ``tournament`` of the lab on evolution."""

HEAD = "def my_tournament(fitness, size, rng):\n"

CHEATS = {
    "the check is defined anew": "from nasviz import course\nfrom nasviz.course import exercises\n"
    "course.check = exercises.check = lambda exercise: None\nexercises.judge = lambda exercise: ''\n"
    f"{HEAD}    return 0\n",
    "a loop": f"{HEAD}    while True:\n        pass\n",
    "a loop that catches everything": f"{HEAD}    import time\n    while True:\n        try:\n"
    "            time.sleep(1)\n        except BaseException:\n            pass\n",
    "processes without end": "import os\nwhile True:\n    try:\n        if os.fork() == 0:\n            os.setsid()\n"
    "    except OSError:\n        pass\n",
    "the end of the process": f"{HEAD}    import os\n    os._exit(0)\n",
    "memory": f"{HEAD}    return [bytearray(10**8) for _ in range(10**4)]\n",
    "the package with other functions": "import numpy as np\nfrom nasviz.analysis import stats\n"
    "np.isclose = np.allclose = lambda *a, **k: True\nstats.mean_band = None\n"
    "from nasviz.course.grading import hidden, judge, pristine\n"
    "judge.Verdict = lambda *a: (1, 'right')\npristine.check_of = lambda *a: lambda: iter(())\nhidden.FOUND.clear()\n"
    f"{HEAD}    return 0\n",
    "an object that equals everything": "class Equal(int):\n"
    "    __eq__ = __lt__ = __gt__ = __le__ = __ge__ = lambda *others: True\n    __hash__ = int.__hash__\n"
    f"{HEAD}    return Equal(1)\n",
    "the examples by heart": "turn = [0]\n" + HEAD + "    turn[0] += 1\n    if size == 1:\n        return turn[0] % 5\n"
    "    return ([1] * 9 + [3] * 7 + [2] * 5 + [0] * 3 + [4])[turn[0] % 25]\n",
    "a forged message": f"{HEAD}    import os\n    for number in range(3, 60):\n        try:\n"
    "            os.write(number, b'\\0\\0\\0\\7{\"v\":1}')\n        except OSError:\n            pass\n    return 0\n",
    "threads without end": f"{HEAD}    import threading, time\n    while True:\n"
    "        threading.Thread(target=time.sleep, args=(99,)).start()\n",
    "a full disk": f"{HEAD}    file = open('x', 'wb')\n    while True:\n        file.write(b'x' * 10**7)\n",
    "a signal to the judge": f"{HEAD}    import os, signal\n    os.kill(os.getppid(), signal.SIGKILL)\n    return 0\n",
    "output without end": f"{HEAD}    while True:\n        print('x' * 10**6)\n",
    "no Python": "def my_tournament(:\n",
    "another name": "def tournament(fitness, size, rng):\n    return 0\n",
}
