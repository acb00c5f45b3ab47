"""is_path_valid with every option, get_plan, plan_batch, diagnostics, reasoning, Nav2's tree."""
import math

from diagnostic_msgs.msg import DiagnosticArray
from geometry_msgs.msg import PoseStamped
from hrm_planner_msgs.msg import ReasoningFrame
from hrm_planner_msgs.srv import PlanBatch
from nav2_msgs.action import ComputePathToPose
from nav2_msgs.srv import ClearEntireCostmap, IsPathValid
from nav_msgs.msg import OccupancyGrid, Path
from nav_msgs.srv import GetPlan

from messages import ABORTED, SUCCEEDED, empty_map, fill, points, pose, to_pose, two_rooms

Result = ComputePathToPose.Result
ACROSS = to_pose(pose(8, 2), pose(2, 2))


def line(x0, y0, x1, y1, step=0.1):
    n = max(1, round(math.dist((x0, y0), (x1, y1)) / step))
    path = Path()
    path.header.frame_id = 'map'
    path.poses = [pose(x0 + (x1 - x0) * i / n, y0 + (y1 - y0) * i / n) for i in range(n + 1)]
    return path


def check(client, path, **options):
    return client.call(IsPathValid, 'is_path_valid', path=path, **options)


def ready(client):
    """The map has been taken in: a goal waits for it."""
    client.plan(to_pose(pose(3, 2), pose(2, 2)))


def test_a_plan_of_ours_is_valid_and_one_through_a_wall_is_not(planner, client):
    """mowglinext PR 728: fresh plans were invalid at once, on another footprint."""
    _, result = client.plan(ACROSS)
    assert check(client, result.path).is_valid
    _, beside = client.plan(to_pose(pose(8, 2), pose(4.85, 2)))
    assert check(client, beside.path).is_valid, 'its start is relaxed as for planning'
    answer = check(client, line(2, 2, 8, 2))
    assert not answer.is_valid
    xs = [2 + 0.1 * i for i in answer.invalid_pose_indices]
    assert 4.65 < min(xs) < 4.85 and 5.15 < max(xs) < 5.35


def test_an_empty_path_and_one_that_leaves_the_map_are_invalid(planner, client):
    ready(client)
    assert not check(client, Path()).is_valid
    answer = check(client, line(8, 4, 12, 4))
    assert not answer.is_valid and answer.invalid_pose_indices[0] in (20, 21)


def test_what_the_robot_has_passed_does_not_count(planner, client):
    ready(client)
    path = line(2, 2, 8, 2)
    client.publish_tf('map', 'base_link', 6.0, 2.0)
    client.spin(0.1)
    assert check(client, path).is_valid
    client.publish_tf('map', 'base_link', 3.0, 2.0)
    client.spin(0.1)
    assert not check(client, path).is_valid


def test_max_cost_and_unknown_are_options(planner, client):
    """nav2 3954, PR 5839."""
    ready(client)
    near_wall = line(2, 0.2, 2, 7.8)
    beside = line(4.5, 1, 4.5, 7)
    assert check(client, near_wall).is_valid and check(client, beside).is_valid
    answer = check(client, beside, max_cost=50)
    assert not answer.is_valid and len(answer.invalid_pose_indices) > 30
    client.publish_map(fill(two_rooms(), 1.9, 3, 2.1, 4, -1))
    ready(client)
    client.plan(ACROSS)
    path = line(2, 2, 2, 5)
    assert check(client, path).is_valid
    assert not check(client, path, consider_unknown_as_obstacle=True).is_valid


def test_a_path_in_another_frame_is_brought_into_the_maps(planner, client):
    ready(client)
    client.publish_tf('map', 'odom', 0.0, 1.0, static=True)
    client.spin(0.1)
    path = line(2, 5.5, 8, 5.5)
    path.header.frame_id = 'odom'
    for p in path.poses:
        p.header.frame_id = 'odom'
    assert check(client, path).is_valid, 'y = 6.5 of the map is the door'
    path = line(2, 1, 8, 1)
    for p in path.poses:
        p.header.frame_id = 'odom'
    assert not check(client, path).is_valid


def test_get_plan(planner, client):
    answer = client.call(GetPlan, 'hrm_planner/get_plan', start=pose(2, 2), goal=pose(8, 2), tolerance=0.0)
    assert points(answer.plan)[0] == (2, 2) and points(answer.plan)[-1] == (8, 2)
    answer = client.call(GetPlan, 'hrm_planner/get_plan', start=pose(2, 2), goal=pose(5, 2), tolerance=0.0)
    assert answer.plan.poses == []
    answer = client.call(GetPlan, 'hrm_planner/get_plan', start=pose(2, 2), goal=pose(5, 2), tolerance=1.0)
    assert 0 < math.dist(points(answer.plan)[-1], (5, 2)) <= 1.0


def test_a_batch_has_a_plan_or_an_error_for_each_start(planner, client):
    starts = [pose(2, 2), pose(5, 2), pose(99, 2), pose(8, 3)]
    answer = client.call(PlanBatch, 'hrm_planner/plan_batch', starts=starts, goal=pose(8, 2))
    assert list(answer.error_codes) == [0, Result.START_OCCUPIED, Result.START_OUTSIDE_MAP, 0]
    for start, plan, cost, code in zip(starts, answer.plans, answer.travel_costs, answer.error_codes):
        if code == 0:
            assert points(plan)[0] == (start.pose.position.x, start.pose.position.y)
            assert points(plan)[-1] == (8, 2) and cost >= 1
        else:
            assert plan.poses == [] and math.isnan(cost)


def test_thinking_can_be_watched(planner, client):
    frames = client.listen(ReasoningFrame, 'hrm_planner/reasoning', 100)
    fields = client.listen(OccupancyGrid, 'hrm_planner/value_field', 100)
    paths = client.listen(Path, 'hrm_planner/reasoning_plan', 100)
    for topic in ('reasoning', 'value_field', 'reasoning_plan'):
        client.wait_for_readers(f'/hrm_planner/{topic}')
    client.spin(0.3)
    client.plan(ACROSS)
    client.until(lambda: frames and fields and paths)
    assert [f.segment for f in frames] == list(range(1, len(frames) + 1))
    last = frames[-1]
    assert (last.info.width, last.info.height) == (100, 80) and len(last.values) == 8000
    by_goal, far = last.values[20 * 100 + 80], last.values[20 * 100 + 20]
    assert by_goal < far, 'the value is the cost to go'
    assert max(fields[-1].data) <= 98


def test_diagnostics_tell_how_it_is(start, client):
    entries = client.listen(DiagnosticArray, '/diagnostics')
    start(parameters={'diagnostics_period': 0.2})

    def latest(words):
        client.until(lambda: any(words in s.message for e in entries for s in e.status))
        found = [s for e in entries for s in e.status if words in s.message][-1]
        del entries[:]
        return found
    assert latest('unconfigured').level == b'\x00'
    client.activate()
    assert latest('no map').level == b'\x02'
    client.publish_map(two_rooms())
    assert latest('plans').level == b'\x00'
    client.plan(to_pose(pose(99, 2), pose(2, 2)))
    found = latest('GOAL_OUTSIDE_MAP')
    assert found.level == b'\x01'
    assert {v.key: v.value for v in found.values}['requests'] == '1'


def test_a_goal_pose_is_planned_to_where_that_is_asked_for(start, client):
    start(parameters={'subscribe_goal_pose': 'true'})
    client.activate()
    client.publish_map(two_rooms())
    plans = client.listen(Path, 'plan')
    goals = client.publisher(PoseStamped, 'goal_pose')
    client.wait_for_readers('/goal_pose')
    client.wait_for_readers('/plan')
    client.publish_tf('map', 'base_link', 2.0, 2.0)
    client.spin(0.3)
    client.publish_tf('map', 'base_link', 2.0, 2.0)
    goals.publish(pose(8, 2))
    client.until(lambda: plans)
    assert points(plans[0])[-1] == (8, 2)


def test_the_calls_of_nav2s_navigate_to_pose_tree(start, client):
    """Validate the path, compute it, clear the costmap after a failure, compute again; the clients
    exist before the node is active, as the tree makes them when it loads."""
    start(remap=['__node:=planner_server'])
    client.planner = 'planner_server'
    for type_, name in [(IsPathValid, 'is_path_valid'),
                        (ClearEntireCostmap, 'global_costmap/clear_entirely_global_costmap')]:
        assert client.has_service(type_, name, 5), name
    client.action()
    client.activate()
    client.publish_map(two_rooms())
    client.publish_tf('map', 'base_link', 2.0, 2.0)
    client.spin(0.1)
    assert not check(client, Path()).is_valid, 'no path yet: compute one'
    client.publish_tf('map', 'base_link', 2.0, 2.0)
    status, result = client.plan(to_pose(pose(8, 2), planner_id='GridBased'))
    assert status == SUCCEEDED and check(client, result.path).is_valid
    # Maps and goals come on ways of their own: a goal may be there before the map.
    client.publish_map(two_rooms(door=False))
    client.until(lambda: not check(client, result.path).is_valid)
    client.publish_tf('map', 'base_link', 2.0, 2.0)
    status, _ = client.plan(to_pose(pose(8, 2), planner_id='GridBased'))
    assert status == ABORTED
    client.call(ClearEntireCostmap, 'global_costmap/clear_entirely_global_costmap')
    client.publish_map(two_rooms())
    client.until(lambda: check(client, result.path).is_valid)
    client.publish_tf('map', 'base_link', 2.0, 2.0)
    status, result = client.plan(to_pose(pose(8, 2), planner_id='GridBased'))
    assert status == SUCCEEDED and check(client, result.path).is_valid


def test_a_robot_on_its_way_keeps_its_plan(planner, client):
    """nav2 2381, 1570, 2804: paths flipped between replans."""
    grid = fill(empty_map(), 4.5, 2, 5.5, 6)  # a block: around it by either side costs the same
    client.publish_map(grid)
    sides = set()
    for i in range(8):
        x, y = 1.0 + 0.2 * i, 4.0 + (0.05 if i % 2 else -0.05)
        client.publish_tf('map', 'base_link', x, y)
        client.spin(0.05)
        status, result = client.plan(to_pose(pose(9, 4)))
        assert status == SUCCEEDED, result.error_msg
        sides.add(any(py > 6 for _, py in points(result.path)))
    assert len(sides) == 1
