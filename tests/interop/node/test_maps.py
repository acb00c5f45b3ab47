"""Maps: late, updated, resized, wrong, large; the costmap, its layers and its clearing services."""
import math
import time

import pytest
from lifecycle_msgs.msg import Transition
from map_msgs.msg import OccupancyGridUpdate
from nav2_msgs.action import ComputePathToPose
from nav2_msgs.srv import ClearCostmapAroundRobot, ClearCostmapExceptRegion, ClearEntireCostmap
from nav_msgs.msg import OccupancyGrid
from rclpy.qos import QoSProfile
from sensor_msgs.msg import LaserScan, PointCloud2, PointField

from messages import BEST_EFFORT, LATCHED, SUCCEEDED, empty_map, fill, points, pose, to_pose, two_rooms

Result = ComputePathToPose.Result
ACROSS = to_pose(pose(8, 2), pose(2, 2))
NO_MISMATCH = pytest.mark.only('dds', reason='on Zenoh every subscriber gets what any publisher offers')


def test_a_map_that_was_published_before_the_node_came_arrives(start, client):
    """nav2 867, rviz 400."""
    client.publish_map(two_rooms())
    client.spin(0.2)
    start()
    client.activate()
    assert client.plan(ACROSS)[0] == SUCCEEDED


def test_an_update_of_the_map_counts_for_the_next_goal(planner, client):
    updates = client.publisher(OccupancyGridUpdate, 'map_updates')
    client.wait_for_readers('/map_updates')
    assert client.plan(ACROSS)[0] == SUCCEEDED
    update = OccupancyGridUpdate(x=49, y=55, width=2, height=20, data=[100] * 40)
    update.header.frame_id = 'map'
    updates.publish(update)
    client.spin(0.2)
    assert client.plan(ACROSS)[1].error_code == Result.NO_VALID_PATH
    update.data = [0] * 40
    updates.publish(update)
    client.spin(0.2)
    assert client.plan(ACROSS)[0] == SUCCEEDED


def test_what_makes_no_sense_is_refused_and_the_last_good_map_stays(planner, client):
    assert client.plan(ACROSS)[0] == SUCCEEDED
    updates = client.publisher(OccupancyGridUpdate, 'map_updates')
    client.wait_for_readers('/map_updates')

    def broken(change):
        grid = two_rooms()
        change(grid)
        return grid
    wrong = [
        (lambda g: setattr(g.info, 'resolution', 0.0), 'resolution'),
        (lambda g: setattr(g.info, 'resolution', math.nan), 'resolution'),
        (lambda g: setattr(g.info, 'width', 7), 'values'),
        (lambda g: setattr(g.info, 'height', 0), 'at least 1'),
        (lambda g: setattr(g.info.origin.position, 'x', math.inf), 'finite'),
        (lambda g: setattr(g.info.origin.orientation, 'w', 0.0), 'norm 0'),
        (lambda g: g.data.__setitem__(3, 101), '101'),
    ]
    for change, words in wrong:
        client.publish_map(broken(change))
        planner.wait_for(words)
        assert client.plan(ACROSS)[0] == SUCCEEDED
    updates.publish(OccupancyGridUpdate(x=99, y=0, width=2, height=1, data=[0, 0]))
    planner.wait_for('map update is refused')
    assert client.plan(ACROSS)[0] == SUCCEEDED


def test_a_map_that_is_resized_while_planning_crashes_nothing(planner, client):
    """nav2 2437, 2781, navigation 584: each request has its own snapshot."""
    action = client.action()
    ends = []
    for i in range(30):
        size = 100 if i % 2 else 60
        client.publish_map(two_rooms() if size == 100 else empty_map(60, 60))
        handle = client.wait(action.send_goal_async(to_pose(pose(8 if size == 100 else 5, 2), pose(2, 2))))
        ends.append(client.wait(handle.get_result_async()).result.error_code)
    assert set(ends) <= {Result.NONE, Result.GOAL_OUTSIDE_MAP}, ends
    assert ends.count(Result.NONE) > 15


def test_a_map_of_sixteen_million_cells(start, client):
    start(parameters={'costmap_update_timeout': 20.0, 'max_planning_time': 30.0, 'publish_frequency': 0.0})
    client.activate()
    grid = OccupancyGrid()
    grid.header.frame_id = 'map'
    grid.info.width = grid.info.height = 4000
    grid.info.resolution = 0.05
    grid.info.origin.orientation.w = 1.0
    import array
    grid.data = array.array('b', bytes(4000 * 4000))
    client.publish_map(grid)
    client.spin(0.5)
    status, result = client.plan(to_pose(pose(190, 195), pose(5, 5)), timeout=60)
    assert status == SUCCEEDED, result.error_msg
    assert points(result.path)[-1] == (190, 195)


@NO_MISMATCH
def test_a_volatile_map_is_not_silently_missed(start, client):
    """nav2 PR 1057, Map-Conversion 2: the log says which parameter mends it."""
    planner = start()
    client.activate()
    client.publish_map(two_rooms(), QoSProfile(depth=1))
    planner.wait_for('map_qos_durability')
    planner.stop()
    again = start(parameters={'map_qos_durability': 'volatile'})
    client.activate()
    client.wait_for_readers('/map')
    client.spin(0.3)
    client.publish_map(two_rooms(), QoSProfile(depth=1))
    client.spin(0.3)
    assert client.plan(ACROSS)[0] == SUCCEEDED
    assert 'nothing comes' not in again.log


@NO_MISMATCH
def test_a_best_effort_map_is_not_silently_missed(start, client):
    planner = start(parameters={'map_qos_durability': 'volatile'})
    client.activate()
    client.publish_map(two_rooms(), BEST_EFFORT)
    planner.wait_for('map_qos_reliability')


def test_the_costmap_is_published_latched_with_inflation(planner, client):
    client.spin(0.3)
    costmaps = client.listen(OccupancyGrid, 'global_costmap/costmap', LATCHED)
    client.until(lambda: costmaps)
    grid = costmaps[-1]
    assert (grid.info.width, grid.info.height) == (100, 80)
    assert grid.data[20 * 100 + 49] == 100, 'the wall'
    assert grid.data[20 * 100 + 47] == 99, 'inscribed'
    assert 0 < grid.data[20 * 100 + 45] < 99, 'inflated'
    assert grid.data[20 * 100 + 20] == 0, 'free'


def test_an_inactive_node_publishes_no_costmap(start, client):
    start()
    client.change(Transition.TRANSITION_CONFIGURE)
    costmaps = client.listen(OccupancyGrid, 'global_costmap/costmap', LATCHED)
    client.publish_map(two_rooms())
    client.spin(0.7)
    assert costmaps == []
    client.change(Transition.TRANSITION_ACTIVATE)
    client.until(lambda: costmaps)


def test_only_what_has_changed_is_published_where_that_is_asked_for(start, client):
    start(parameters={'always_send_full_costmap': 'false', 'publish_frequency': 20.0})
    client.activate()
    costmaps = client.listen(OccupancyGrid, 'global_costmap/costmap', LATCHED)
    updates = client.listen(OccupancyGridUpdate, 'global_costmap/costmap_updates')
    client.wait_for_readers('/global_costmap/costmap_updates')
    client.publish_map(two_rooms())
    client.until(lambda: costmaps)
    client.publish_map(fill(two_rooms(), 2, 2, 2.2, 2.2))
    client.until(lambda: updates)
    update = updates[0]
    assert 10 < update.x < 20 < update.x + update.width < 30
    assert update.width * update.height == len(update.data) < 400
    assert 100 in update.data
    assert len(costmaps) == 1


def scan(client, ranges, frame='laser'):
    message = LaserScan(angle_min=-math.pi / 2, angle_max=math.pi / 2,
                        angle_increment=math.pi / (len(ranges) - 1), range_min=0.05, range_max=20.0,
                        ranges=ranges)
    message.header.frame_id = frame
    message.header.stamp = client.now().to_msg()
    return message


def corridor():
    """A corridor along x, 2 m wide, with walls on both sides."""
    return fill(fill(empty_map(), 0, 0, 10, 3), 0, 5, 10, 8)


ALONG = to_pose(pose(8, 4), pose(2, 4))


def wall_at(distance):
    """What a laser at (2, 4) that looks along +x sees of a wall across the corridor."""
    ranges = []
    for i in range(361):
        angle = -math.pi / 2 + i * math.pi / 360
        to_side = 1.0 / abs(math.sin(angle)) if abs(angle) > 1e-9 else math.inf
        ahead = distance / math.cos(angle) if math.cos(angle) > 1e-9 else math.inf
        ranges.append(min(to_side, ahead, 15.0))
    return ranges


def look(client, ranges, seconds=0.6):
    scans = client.publisher(LaserScan, 'scan', BEST_EFFORT)
    client.wait_for_readers('/scan')
    end = time.monotonic() + seconds
    while time.monotonic() < end:
        client.publish_tf('map', 'laser', 2.0, 4.0)
        client.publish_tf('map', 'base_link', 2.0, 4.0)
        scans.publish(scan(client, ranges))
        client.spin(0.05)


RANGES = {'obstacle_layer.scan.obstacle_max_range': 8.0, 'obstacle_layer.scan.raytrace_max_range': 9.0}


def test_a_scan_that_blocks_and_then_frees_a_corridor(start, client):
    start(parameters=RANGES)
    client.activate()
    client.publish_map(corridor())
    assert client.plan(ALONG)[0] == SUCCEEDED
    look(client, wall_at(3.0))
    assert client.plan(ALONG)[1].error_code == Result.NO_VALID_PATH
    look(client, wall_at(12.0))
    assert client.plan(ALONG)[0] == SUCCEEDED


def test_the_clearing_services(start, client):
    start(parameters=RANGES)
    client.activate()
    client.publish_map(corridor())
    kinds = [
        (ClearEntireCostmap, 'global_costmap/clear_entirely_global_costmap', {}, True),
        (ClearCostmapAroundRobot, 'global_costmap/clear_around_global_costmap', {'reset_distance': 2.0}, False),
        (ClearCostmapAroundRobot, 'global_costmap/clear_around_global_costmap', {'reset_distance': 8.0}, True),
        (ClearCostmapExceptRegion, 'global_costmap/clear_except_global_costmap', {'reset_distance': 8.0}, False),
        (ClearCostmapExceptRegion, 'global_costmap/clear_except_global_costmap', {'reset_distance': 2.0}, True),
    ]
    for type_, name, fields, frees in kinds:
        look(client, wall_at(3.0))
        assert client.plan(ALONG)[1].error_code == Result.NO_VALID_PATH
        client.call(type_, name, **fields)
        status, result = client.plan(ALONG)
        assert (status == SUCCEEDED) == frees, (name, fields, result.error_msg)
        # The walls of the map stay, whatever is cleared.
        assert client.plan(to_pose(pose(8, 7), pose(2, 4)))[1].error_code == Result.GOAL_OCCUPIED
        client.call(ClearEntireCostmap, 'global_costmap/clear_entirely_global_costmap')


def test_a_point_cloud_blocks_within_its_heights(start, client):
    start(parameters={'obstacle_layer.observation_sources': '["camera"]',
                      'obstacle_layer.camera.topic': 'points',
                      'obstacle_layer.camera.data_type': 'PointCloud2',
                      'obstacle_layer.camera.min_obstacle_height': 0.1,
                      'obstacle_layer.camera.obstacle_max_range': 8.0})
    client.activate()
    client.publish_map(corridor())
    clouds = client.publisher(PointCloud2, 'points', BEST_EFFORT)
    client.wait_for_readers('/points')
    import struct

    def see(height):
        places = [(3.0, -1 + 0.05 * i, height) for i in range(41)]
        cloud = PointCloud2(height=1, width=len(places), point_step=16, row_step=16 * len(places),
                            fields=[PointField(name=n, offset=o, datatype=7, count=1)
                                    for n, o in (('x', 0), ('y', 4), ('z', 8))],
                            data=b''.join(struct.pack('<ffff', *p, 0.0) for p in places))
        cloud.header.frame_id = 'camera'
        for _ in range(8):
            client.publish_tf('map', 'camera', 2.0, 4.0)
            cloud.header.stamp = client.now().to_msg()
            clouds.publish(cloud)
            client.spin(0.06)
    see(0.0)
    assert client.plan(ALONG)[0] == SUCCEEDED, 'the floor does not block'
    see(0.5)
    assert client.plan(ALONG)[1].error_code == Result.NO_VALID_PATH


def test_two_nodes_in_two_namespaces(start, clients):
    start(remap=['__ns:=/one'])
    start(remap=['__ns:=/two'])
    one, two = clients('one'), clients('two')
    for client, grid in ((one, two_rooms()), (two, two_rooms(door=False))):
        client.activate()
        client.publish_map(grid)
    assert one.plan(ACROSS)[0] == SUCCEEDED
    assert two.plan(ACROSS)[1].error_code == Result.NO_VALID_PATH


def test_remapped_names(start, client):
    start(remap=['__node:=planner_server', 'map:=/warehouse/map', 'plan:=global_plan'])
    client.planner = 'planner_server'
    client.activate()
    from nav_msgs.msg import Path
    plans = client.listen(Path, 'global_plan')
    client.publish_map(two_rooms(), topic='/warehouse/map')
    assert client.plan(ACROSS)[0] == SUCCEEDED
    client.until(lambda: plans)
