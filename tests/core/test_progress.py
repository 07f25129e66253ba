"""A bar that lies is worse than none."""

from tidemark.core.storage.progress import progress_line


def test_a_line_says_how_much_is_done_and_what_is_under_way():
    assert progress_line({}) == "[....................] 0/0 tasks  waiting"
    tasks = {
        "plan_increment": {"success": 1},
        "extract_chunk": {"success": 3, "running": 1, "failed": 1},
        "load_primary": {"waiting": 1},
    }
    said = progress_line(tasks)
    assert said == "[###########.........] 4/7 tasks  extract_chunk 3/5, 1 failed"
    assert progress_line({"seal_batch": {"running": 1}}).endswith("seal_batch running")
    assert progress_line({"a": {"success": 1}, "b": {"skipped": 2}}).endswith("3/3 tasks  done")
