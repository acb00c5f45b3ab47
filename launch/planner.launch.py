"""Starts the planner node alone: beside a map server, for trying it out, or under a lifecycle manager
of one's own.

  ros2 launch hrm_planner planner.launch.py map:=/map use_sim_time:=true
"""
from launch import LaunchDescription
from launch.actions import DeclareLaunchArgument, OpaqueFunction
from launch.substitutions import LaunchConfiguration, PathJoinSubstitution
from launch_ros.actions import Node
from launch_ros.substitutions import FindPackageShare

ARGUMENTS = [
    ('params_file', PathJoinSubstitution([FindPackageShare('hrm_planner'), 'configs', 'planner.yaml']),
     'Parameters of the node; the installed configs/planner.yaml documents all of them'),
    ('model', '', 'The model, a .safetensors file; empty: as the parameter file says'),
    ('map', '', 'Topic of the map; empty: as the parameter file says'),
    ('name', 'hrm_planner', 'Name of the node'),
    ('namespace', '', 'Namespace of the node'),
    ('use_sim_time', 'false', 'Whether time is that of /clock'),
    ('autostart', 'true', 'Whether the node configures and activates itself'),
    ('log_level', 'info', 'debug, info, warn, error or fatal'),
]


def start(context):
    def said(name):
        return LaunchConfiguration(name).perform(context)

    def is_true(name):
        value = said(name).lower()
        if value not in ('true', 'false', '1', '0'):
            raise RuntimeError(f'{name} is {value!r}; it must be true or false')
        return value in ('true', '1')

    parameters = {'use_sim_time': is_true('use_sim_time'), 'autostart_node': is_true('autostart')}
    for argument, parameter in [('model', 'model'), ('map', 'map_topic')]:
        if said(argument):
            parameters[parameter] = said(argument)
    return [Node(
        package='hrm_planner',
        executable='hrm_planner_node',
        name=said('name'),
        namespace=said('namespace'),
        output='screen',
        parameters=[said('params_file'), parameters],
        ros_arguments=['--log-level', said('log_level')],
        # As Nav2 does, so that a namespace has transforms of its own.
        remappings=[('/tf', 'tf'), ('/tf_static', 'tf_static')],
    )]


def generate_launch_description():
    arguments = [DeclareLaunchArgument(name, default_value=default, description=words)
                 for name, default, words in ARGUMENTS]
    return LaunchDescription([*arguments, OpaqueFunction(function=start)])
