"""Nav2's servers with this planner in place of its planner server: what nav2_bringup's
navigation_launch.py starts, without composition and without the route server. Localisation and the map server are started beside it,
as always (nav2_bringup's localization_launch.py or slam_launch.py).

  ros2 launch hrm_planner nav2.launch.py params_file:=my_nav2_params.yaml

The node is called planner_server and obeys the same lifecycle manager. Its parameters are read from
the same file: those of `planner_server` and, because the costmap is part of this node, those of
`global_costmap`, translated (robot radius or footprint, inflation, layers, frames).
"""
from ast import literal_eval
from json import dumps

import yaml
from launch import LaunchDescription
from launch.actions import DeclareLaunchArgument, OpaqueFunction, SetEnvironmentVariable
from launch.substitutions import LaunchConfiguration
from launch_ros.actions import Node

ARGUMENTS = [
    ('params_file', None, "Nav2's parameter file"),
    ('planner_params_file', '', 'Parameters of the planner that go before those of params_file; empty: none'),
    ('model', '', 'The model, a .safetensors file; empty: the shipped one'),
    ('namespace', '', 'Namespace of all nodes'),
    ('use_sim_time', 'false', 'Whether time is that of /clock'),
    ('autostart', 'true', 'Whether the lifecycle manager brings all nodes up'),
    ('use_respawn', 'false', 'Whether nodes that end are started again'),
    ('log_level', 'info', 'debug, info, warn, error or fatal'),
]

TF = [('/tf', 'tf'), ('/tf_static', 'tf_static')]
COMMANDS = [('cmd_vel', 'cmd_vel_nav')]

# (package, executable, further remappings), in the order in which they are brought up. This planner
# stands where planner_server does.
SERVERS = [
    ('nav2_controller', 'controller_server', COMMANDS),
    ('nav2_smoother', 'smoother_server', []),
    ('hrm_planner', 'planner_server', []),
    ('nav2_behaviors', 'behavior_server', COMMANDS),
    ('nav2_velocity_smoother', 'velocity_smoother', COMMANDS),
    ('nav2_collision_monitor', 'collision_monitor', []),
    ('nav2_bt_navigator', 'bt_navigator', []),
    ('nav2_waypoint_follower', 'waypoint_follower', []),
    ('opennav_docking', 'docking_server', []),
]

# Parameters of Nav2's global costmap that this node has under the same name.
SAME = {
    'global_frame': str, 'robot_base_frame': str, 'transform_tolerance': float, 'robot_radius': float,
    'update_frequency': float, 'publish_frequency': float, 'always_send_full_costmap': bool,
}
# Those of its sensors, with what Nav2 takes where the file says nothing.
SENSOR = {
    'data_type': 'LaserScan', 'sensor_frame': '', 'min_obstacle_height': 0.0, 'max_obstacle_height': 0.0,
    'obstacle_min_range': 0.0, 'obstacle_max_range': 2.5, 'raytrace_min_range': 0.0,
    'raytrace_max_range': 3.0, 'observation_persistence': 0.0, 'expected_update_rate': 0.0,
    'marking': True, 'clearing': False, 'inf_is_valid': False,
}


def parameters_of(document, *path):
    """The parameters of a node in a parameter file, by its path of names."""
    for name in path:
        document = document.get(name) or {}
    return document.get('ros__parameters') or {}


def translated(document):
    """What Nav2's parameter file says about planner and global costmap, as parameters of this node."""
    server = parameters_of(document, 'planner_server')
    costmap = parameters_of(document, 'global_costmap', 'global_costmap')
    result = {name: kind(costmap[name]) for name, kind in SAME.items() if name in costmap}
    footprint = costmap.get('footprint')
    if footprint and footprint != '[]':
        corners = literal_eval(footprint) if isinstance(footprint, str) else footprint
        # In quotes of its own: launch reads text as YAML, and this is a text, not a list.
        result['footprint'] = f"'{dumps(corners)}'"
    for name, kind in [('expected_planner_frequency', float), ('costmap_update_timeout', float),
                       ('bond_heartbeat_period', float)]:
        if name in server:
            result[name] = kind(server[name])
    names = server.get('planner_plugins') or ['GridBased']
    result['planner_plugins'] = list(names)
    plugin = server.get(names[0]) or {}
    # Nav2's planners enter unknown space and end near a goal unless they are told otherwise.
    result['allow_unknown'] = bool(plugin.get('allow_unknown', True))
    result['tolerance'] = float(plugin.get('tolerance', 0.5))
    result['use_final_approach_orientation'] = bool(plugin.get('use_final_approach_orientation', False))

    layers = costmap.get('plugins') or []
    kind_of = {name: str((costmap.get(name) or {}).get('plugin', '')) for name in layers}
    of_kind = {kind: next((costmap.get(n) or {} for n in layers if kind in kind_of[n]), None)
               for kind in ('StaticLayer', 'ObstacleLayer', 'VoxelLayer', 'InflationLayer')}
    static = of_kind['StaticLayer']
    result['static_layer.enabled'] = static is not None and bool(static.get('enabled', True))
    result['static_layer.trinary_costmap'] = bool(costmap.get('trinary_costmap', True))
    result['static_layer.lethal_cost_threshold'] = int(costmap.get('lethal_cost_threshold', 100))
    if static:
        if static.get('map_topic'):
            result['map_topic'] = str(static['map_topic'])
        if not static.get('map_subscribe_transient_local', True):
            result['map_qos_durability'] = 'volatile'
    inflation = of_kind['InflationLayer']
    if inflation is None or not inflation.get('enabled', True):
        result['inflation_radius'] = 0.0
    else:
        result['inflation_radius'] = float(inflation.get('inflation_radius', 0.55))
        result['cost_scaling_factor'] = float(inflation.get('cost_scaling_factor', 10.0))
    obstacles = of_kind['ObstacleLayer'] or of_kind['VoxelLayer']
    result['obstacle_layer.enabled'] = obstacles is not None and bool(obstacles.get('enabled', True))
    if obstacles:
        sensors = str(obstacles.get('observation_sources', '')).split()
        result['obstacle_layer.observation_sources'] = sensors or ['']
        if 'combination_method' in obstacles:
            result['obstacle_layer.combination_method'] = int(obstacles['combination_method'])
        result['obstacle_layer.footprint_clearing_enabled'] = bool(
            obstacles.get('footprint_clearing_enabled', True))
        for sensor in sensors:
            given = obstacles.get(sensor) or {}
            result[f'obstacle_layer.{sensor}.topic'] = str(given.get('topic', sensor))
            values = {name: type(default)(given.get(name, default)) for name, default in SENSOR.items()}
            # The layer's own heights bound those of its sensors.
            values['max_obstacle_height'] = min(values['max_obstacle_height'],
                                                float(obstacles.get('max_obstacle_height', 2.0)))
            values['min_obstacle_height'] = max(values['min_obstacle_height'],
                                                float(obstacles.get('min_obstacle_height', 0.0)))
            # An empty text is what this node takes too, and no command line can say it.
            result.update({f'obstacle_layer.{sensor}.{name}': value for name, value in values.items()
                           if value != ''})
    return result


def flattened(document, prefix=''):
    """All parameters in a file of them, by dotted name, whatever node they are for."""
    result = {}
    for name, value in document.items():
        if name == 'ros__parameters':
            result.update(flattened(value))
        elif isinstance(value, dict):
            inside = any(isinstance(v, dict) and 'ros__parameters' in v for v in value.values())
            is_node = not prefix and ('ros__parameters' in value or inside)
            result.update(flattened(value, '' if is_node else f'{prefix}{name}.'))
        else:
            result[prefix + name] = value
    return result


def start(context):
    def said(name):
        return LaunchConfiguration(name).perform(context)

    def is_true(name):
        value = said(name).lower()
        if value not in ('true', 'false', '1', '0'):
            raise RuntimeError(f'{name} is {value!r}; it must be true or false')
        return value in ('true', '1')

    with open(said('params_file')) as file:
        document = yaml.safe_load(file) or {}
    namespace = said('namespace').strip('/')
    if namespace in document:
        document = document[namespace]
    planner = {**translated(document), 'use_sim_time': is_true('use_sim_time')}
    if said('planner_params_file'):
        # Merged here: rclrs lets a file that names the node win over one that does not, in any order.
        with open(said('planner_params_file')) as file:
            planner.update(flattened(yaml.safe_load(file) or {}))
    if said('model'):
        planner['model'] = said('model')
    common = {
        'namespace': namespace,
        'output': 'screen',
        'respawn': is_true('use_respawn'),
        'respawn_delay': 2.0,
        'ros_arguments': ['--log-level', said('log_level')],
    }
    nodes = []
    for package, name, remappings in SERVERS:
        if package == 'hrm_planner':
            nodes.append(Node(package=package, executable='hrm_planner_node', name=name,
                              parameters=[planner], remappings=TF, **common))
        else:
            parameters = [said('params_file'), {'use_sim_time': is_true('use_sim_time')}]
            nodes.append(Node(package=package, executable=name, name=name, parameters=parameters,
                              remappings=TF + remappings, **common))
    manager = {'use_sim_time': is_true('use_sim_time'), 'autostart': is_true('autostart'),
               'node_names': [name for _, name, _ in SERVERS]}
    nodes.append(Node(package='nav2_lifecycle_manager', executable='lifecycle_manager',
                      name='lifecycle_manager_navigation', parameters=[manager], **common))
    return nodes


def generate_launch_description():
    arguments = [DeclareLaunchArgument(name, default_value=default, description=words)
                 for name, default, words in ARGUMENTS]
    return LaunchDescription([
        SetEnvironmentVariable('RCUTILS_LOGGING_BUFFERED_STREAM', '1'),
        *arguments,
        OpaqueFunction(function=start),
    ])
