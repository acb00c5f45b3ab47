"""soak.py MINUTES: see scripts/soak-ros2."""
import array
import collections
import math
import os
import random
import signal
import subprocess
import sys
import time

import rclpy
import rclpy.executors
from action_msgs.msg import GoalInfo, GoalStatus
from action_msgs.srv import CancelGoal
from hrm_planner_msgs.msg import PlanReport
from nav2_msgs.action import ComputePathToPose
from nav_msgs.msg import OccupancyGrid
from rclpy.qos import DurabilityPolicy, QoSProfile
from unique_identifier_msgs.msg import UUID

SIDE, RESOLUTION, RADIUS = 160, 0.05, 0.22
MAP_HZ, GOAL_HZ, CANCELLED = 20, 50, 0.2
MANY = QoSProfile(depth=1000)


class Soak:
    def __init__(self):
        self.random = random.Random(1)
        self.node = rclpy.create_node('soak')
        latched = QoSProfile(depth=1, durability=DurabilityPolicy.TRANSIENT_LOCAL)
        self.maps = self.node.create_publisher(OccupancyGrid, 'map', latched)
        self.node.create_subscription(PlanReport, 'hrm_planner/report', self.on_report, MANY)
        # The services of the action without its topics: rclpy takes each message of the status topic apart,
        # and every one of them lists all goals of the last seconds.
        name, kind = 'compute_path_to_pose/_action', ComputePathToPose.Impl
        self.send = self.node.create_client(kind.SendGoalService, f'{name}/send_goal', qos_profile=MANY)
        self.results = self.node.create_client(kind.GetResultService, f'{name}/get_result', qos_profile=MANY)
        self.cancel = self.node.create_client(CancelGoal, f'{name}/cancel_goal', qos_profile=MANY)
        self.cells = bytearray(SIDE * SIDE)
        self.recent = collections.OrderedDict()  # by stamp, ms
        self.paths = {}  # plans whose map is not known yet, by stamp
        self.open = {}
        self.accepted = set()
        self.ended = collections.Counter()
        self.times = []
        self.sources = collections.Counter()
        self.checked = self.defects = 0
        self.sent = 0
        self.stamp = 0

    def edit(self):
        for _ in range(3):
            w, h = self.random.randrange(1, 20), self.random.randrange(1, 20)
            x, y = self.random.randrange(SIDE - w), self.random.randrange(SIDE - h)
            value = 100 if self.random.random() < 0.1 else 0
            for row in range(y, y + h):
                self.cells[row * SIDE + x:row * SIDE + x + w] = bytes([value]) * w
        grid = OccupancyGrid()
        grid.header.frame_id = 'map'
        self.stamp += 1
        grid.header.stamp.sec, grid.header.stamp.nanosec = divmod(self.stamp, 1000)
        grid.header.stamp.nanosec *= 1_000_000
        grid.info.width = grid.info.height = SIDE
        grid.info.resolution = RESOLUTION
        grid.info.origin.orientation.w = 1.0
        grid.data = array.array('b', bytes(self.cells))
        self.recent[self.stamp] = bytes(self.cells)
        while len(self.recent) > 400:
            self.recent.popitem(last=False)
        self.maps.publish(grid)

    def goal(self):
        def place():
            return self.random.uniform(0.1, SIDE * RESOLUTION - 0.1)
        goal = ComputePathToPose.Goal(use_start=True)
        for pose in (goal.start, goal.goal):
            pose.header.frame_id = 'map'
            pose.pose.position.x, pose.pose.position.y = place(), place()
            pose.pose.orientation.w = 1.0
        number = self.sent = self.sent + 1
        self.open[number] = time.monotonic()
        goal_id = UUID(uuid=list(number.to_bytes(16, 'big')))
        request = ComputePathToPose.Impl.SendGoalService.Request(goal_id=goal_id, goal=goal)
        self.send.call_async(request).add_done_callback(lambda f: self.on_goal(number, goal_id, f.result()))

    def on_goal(self, number, goal_id, answer):
        if not answer.accepted:
            self.ended['rejected'] += 1
            del self.open[number]
            return
        self.accepted.add(number)
        request = ComputePathToPose.Impl.GetResultService.Request(goal_id=goal_id)
        self.results.call_async(request).add_done_callback(lambda f: self.on_result(number, f.result()))
        if self.random.random() < CANCELLED:
            self.cancel.call_async(CancelGoal.Request(goal_info=GoalInfo(goal_id=goal_id)))

    def on_result(self, number, answer):
        begin = self.open.pop(number, None)
        if begin is None:
            self.defects += 1
            print('a goal has two results')
            return
        status, result = answer.status, answer.result
        name = {GoalStatus.STATUS_SUCCEEDED: 'succeeded', GoalStatus.STATUS_CANCELED: 'cancelled',
                GoalStatus.STATUS_ABORTED: 'aborted', 0: 'forgotten'}[status]
        if name == 'aborted':
            name += ' (a newer goal)' if 'newer goal' in result.error_msg else f' {result.error_code}'
        self.defects += name == 'forgotten'
        self.ended[name] += 1
        self.times.append(time.monotonic() - begin)
        if (status == GoalStatus.STATUS_SUCCEEDED) != bool(result.path.poses):
            self.defects += 1
            print('a result with the wrong kind of path:', name)
        if result.path.poses:
            self.judge(self.key(result.path.header), path=result.path)

    def on_report(self, report):
        if report.succeeded:
            self.sources[report.legs[0].source] += 1
            stamp = report.legs[0].map_stamp
            self.judge(self.key(report.header), stamp=round(stamp.sec * 1000 + stamp.nanosec / 1e6))

    @staticmethod
    def key(header):
        return header.stamp.sec, header.stamp.nanosec

    def judge(self, key, **part):
        """Checks a plan on its own map once both plan and report are there."""
        both = self.paths.setdefault(key, {})
        both.update(part)
        if len(self.paths) > 5000:
            self.paths.pop(next(iter(self.paths)))
        if len(both) < 2:
            return
        del self.paths[key]
        cells = self.recent.get(both['stamp'])
        if cells is None:
            return  # older than what is kept
        self.checked += 1
        places = [(p.pose.position.x, p.pose.position.y) for p in both['path'].poses]
        reach = int(RADIUS / RESOLUTION)
        for x, y in places:
            col, row = int(x / RESOLUTION), int(y / RESOLUTION)
            leaving = math.dist((x, y), places[0]) <= RADIUS + RESOLUTION
            around = [(0, 0)] if leaving else [
                (dx, dy) for dx in range(-reach, reach + 1) for dy in range(-reach, reach + 1)
                if math.hypot(dx, dy) * RESOLUTION <= RADIUS]
            for dx, dy in around:
                c, r = col + dx, row + dy
                if 0 <= c < SIDE and 0 <= r < SIDE and cells[r * SIDE + c]:
                    self.defects += 1
                    print(f'a plan that was invalid on its map, at {x:.2f}, {y:.2f}')
                    return

    def run(self, rss, minutes):
        """Samples of the node's memory, one a minute."""
        assert all(c.wait_for_service(20) for c in (self.send, self.results, self.cancel))
        executor = rclpy.executors.SingleThreadedExecutor()
        executor.add_node(self.node)
        begin = next_map = next_goal = time.monotonic()
        samples = []
        while (now := time.monotonic()) < begin + 60 * minutes:
            # Where this side cannot keep up it sends less, and says so by the rate at the end.
            if now >= next_map:
                self.edit()
                next_map = max(next_map + 1 / MAP_HZ, now)
            if now >= next_goal:
                self.goal()
                # At random times: some goals come while another is worked on, some have time to be reached.
                next_goal = max(next_goal + self.random.expovariate(GOAL_HZ), now)
            if now >= begin + 60 * (len(samples) + 1):
                samples.append(rss())
                print(f'{(now - begin) / 60:4.1f} min: {self.sent} goals, {samples[-1] / 1e6:.1f} MB, '
                      f'{self.checked} plans checked, {self.defects} defects, {dict(self.ended)}', flush=True)
            executor.spin_once(timeout_sec=max(0.0, min(next_map, next_goal) - time.monotonic()))
        self.took = time.monotonic() - begin
        end = time.monotonic() + 10
        while self.open and time.monotonic() < end:
            executor.spin_once(timeout_sec=0.05)
        return samples


def main():
    minutes = float(sys.argv[1])
    parameters = ['autostart_node:=true', 'costmap_update_timeout:=2.0', 'obstacle_layer.enabled:=false',
                  f'robot_radius:={RADIUS}']
    command = [os.environ['HRM_NODE'], '--ros-args', '--log-level', os.environ.get('SOAK_LOG', 'fatal')]
    for parameter in parameters:
        command += ['-p', parameter]
    child = subprocess.Popen(command)

    def rss():
        with open(f'/proc/{child.pid}/statm') as file:
            return int(file.read().split()[1]) * os.sysconf('SC_PAGE_SIZE')
    rclpy.init()
    soak = Soak()
    try:
        samples = soak.run(rss, minutes)
    finally:
        child.send_signal(signal.SIGINT)
        status = child.wait(10)
    times = sorted(soak.times)
    print(f'{soak.sent} goals at {soak.sent / soak.took:.1f} Hz, {soak.stamp} maps; {sum(soak.ended.values())} results; '
          f'still open: {len(soak.open)}')
    if soak.open:
        numbers = sorted(soak.open)
        print(f'without a result: goals {numbers[:5]} ... {numbers[-5:]}, of which '
              f'{len(soak.accepted & soak.open.keys())} were accepted')
    print(f'results: {dict(soak.ended)}; plans by {dict(soak.sources)}')
    print(f'result after: p50 {1e3 * times[len(times) // 2]:.0f} ms, p99 {1e3 * times[int(0.99 * len(times))]:.0f} ms, '
          f'longest {1e3 * times[-1]:.0f} ms')
    print(f'plans checked on their own maps: {soak.checked}; defects: {soak.defects}; exit status {status}')
    # The first minutes fill buffers and the result cache; single samples differ by some percent, so that
    # the means of up to five minutes are compared.
    steady = samples[min(2, len(samples) - 1):]
    part = max(1, min(5, len(steady) // 2))
    growth = sum(steady[-part:]) / sum(steady[:part]) - 1 if steady else 0.0
    print(f'memory: {[round(s / 1e6, 1) for s in samples]} MB each minute; mean of the last {part} against '
          f'that of the first {part} after two: {100 * growth:+.1f} %')
    # Plans whose map is no longer kept here cannot be checked; most must be.
    unchecked = soak.checked <= 0.5 * soak.ended['succeeded']
    failed = soak.open or soak.defects or status or growth > 0.05 or unchecked
    print('failed' if failed else 'passed')
    rclpy.try_shutdown()
    return 1 if failed else 0


sys.exit(main())
