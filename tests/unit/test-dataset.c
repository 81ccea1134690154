/* SPDX-License-Identifier: LGPL-2.1-or-later
 * tests/unit/test-dataset.c - tools/eval/dataset.h on folders and files as people have them, and on
 * damaged ones: the message names the file and the line. */
#include "tools/eval/dataset.h"

#include <string.h>
#include <sys/stat.h>

#include <cairo.h>
#include <glib/gstdio.h>
#include <unistd.h>

#define WIDTH 40
#define HEIGHT 20

static const char *const names[] = {"cat", "dog", NULL};

/* ---- a folder for each test ----------------------------------------------------------------- */

typedef struct {
  char *path;
} Folder;

static void
folder_init (Folder *folder)
{
  g_autoptr (GError) error = NULL;

  folder->path = g_dir_make_tmp ("yv-dataset-XXXXXX", &error);
  g_assert_no_error (error);
}

static void
remove_tree (const char *path)
{
  g_autoptr (GDir) dir = g_dir_open (path, 0, NULL);
  const char *name;

  while (dir && (name = g_dir_read_name (dir))) {
    g_autofree char *child = g_build_filename (path, name, NULL);

    if (g_file_test (child, G_FILE_TEST_IS_SYMLINK))
      g_remove (child);
    else
      remove_tree (child);
  }
  g_remove (path);
}

static void
folder_clear (Folder *folder)
{
  remove_tree (folder->path);
  g_free (folder->path);
}

G_DEFINE_AUTO_CLEANUP_CLEAR_FUNC (Folder, folder_clear)

static char *
place (const Folder *folder, const char *name)
{
  char *path = g_build_filename (folder->path, name, NULL);
  g_autofree char *parent = g_path_get_dirname (path);

  g_assert_cmpint (g_mkdir_with_parents (parent, 0777), ==, 0);
  return path;
}

static void
put_text (const Folder *folder, const char *name, const char *text)
{
  g_autofree char *path = place (folder, name);

  g_assert_true (g_file_set_contents (path, text, -1, NULL));
}

static void
put_picture (const Folder *folder, const char *name)
{
  g_autofree char *path = place (folder, name);
  cairo_surface_t *surface = cairo_image_surface_create (CAIRO_FORMAT_RGB24, WIDTH, HEIGHT);

  g_assert_cmpint (cairo_surface_write_to_png (surface, path), ==, CAIRO_STATUS_SUCCESS);
  cairo_surface_destroy (surface);
}

static Dataset *
open_named (const Folder *folder, const char *name, GError **error)
{
  g_autofree char *path = g_build_filename (folder->path, name, NULL);

  return dataset_open (path, NULL, names, 2, error);
}

static void
refuse (const Folder *folder, const char *name, const char *message)
{
  g_autoptr (GError) error = NULL;
  g_autoptr (Dataset) dataset = open_named (folder, name, &error);

  g_assert_null (dataset);
  g_assert_nonnull (error);
  g_test_message ("%s", error->message);
  g_assert_true (error->domain == YV_ERROR);
  g_assert_nonnull (strstr (error->message, message));
}

static const EvalLabel *
label_of (const Dataset *dataset, uint32_t image, uint32_t index)
{
  const DatasetImage *found = g_ptr_array_index (dataset->images, image);

  g_assert_cmpuint (index, <, found->labels->len);
  return &g_array_index (found->labels, EvalLabel, index);
}

/* ---- YOLO folders --------------------------------------------------------------------------- */

static void
put_yolo_folder (const Folder *folder, const char *yaml, const char *labels)
{
  put_text (folder, "data.yaml", yaml);
  put_picture (folder, "images/val/7.png");
  put_picture (folder, "images/val/a.PNG");
  put_text (folder, "images/val/readme.md", "no picture");
  put_text (folder, "labels/val/7.txt", labels);
}

static void
a_folder_gives_its_pictures_and_labels (void)
{
  g_auto (Folder) folder;
  g_autoptr (GError) error = NULL;

  folder_init (&folder);
  put_yolo_folder (&folder, "val: images/val\nnc: 2\nnames: [cat, dog]\n",
                   "1 0.5 0.5 0.25 0.5\n\n0 1 1 0.5 0.5\r\n1 0.5 0.5 0.25 0.5\n");
  g_autoptr (Dataset) dataset = open_named (&folder, "data.yaml", &error);
  g_assert_no_error (error);
  const DatasetImage *first = g_ptr_array_index (dataset->images, 0);
  const DatasetImage *second = g_ptr_array_index (dataset->images, 1);
  g_autoptr (GArray) labels = dataset_labels (dataset, 0, WIDTH, HEIGHT);
  const EvalLabel *dog = &g_array_index (labels, EvalLabel, 0);
  const EvalLabel *cat = &g_array_index (labels, EvalLabel, 1);

  g_assert_cmpuint (dataset->images->len, ==, 2);
  g_assert_cmpuint (first->width, ==, WIDTH);
  g_assert_cmpuint (first->height, ==, HEIGHT);
  g_assert_cmpint (first->id, ==, 7);
  g_assert_cmpint (second->id, ==, -1);
  g_assert_cmpuint (second->labels->len, ==, 0);
  g_assert_cmpuint (labels->len, ==, 2); /* the third is the first once more */
  g_assert_nonnull (strstr (dataset->warning, "1 of 2 pictures have no label file"));
  g_assert_nonnull (strstr (dataset->warning, "1 labels that were there twice"));

  g_assert_cmpuint (dog->class_index, ==, 1);
  g_assert_cmpfloat (dog->x, ==, 15);
  g_assert_cmpfloat (dog->y, ==, 5);
  g_assert_cmpfloat (dog->w, ==, 10);
  g_assert_cmpfloat (dog->h, ==, 10);
  g_assert_cmpfloat (dog->area_px, ==, 100);
  g_assert_cmpfloat (cat->x, ==, 30);
  g_assert_cmpfloat (cat->w, ==, 20); /* half of it lies outside */
  g_assert_cmpfloat (cat->area_px, ==, 200);
  g_assert_cmpint (dataset->category_ids[1], ==, 1);
}

static void
an_outline_gives_its_box_and_area (void)
{
  g_auto (Folder) folder;

  folder_init (&folder);
  put_yolo_folder (&folder, "val: images/val\nnames: {1: dog, 0: cat}\n",
                   "0 0.25 0.5 0.75 0.5 0.5 1\n"); /* a triangle */
  g_autoptr (Dataset) dataset = open_named (&folder, "data.yaml", NULL);
  const EvalLabel *label = label_of (dataset, 0, 0);

  g_assert_cmpfloat (label->x, ==, 0.25);
  g_assert_cmpfloat (label->y, ==, 0.5);
  g_assert_cmpfloat (label->w, ==, 0.5);
  g_assert_cmpfloat (label->h, ==, 0.5);
  g_assert_cmpfloat_with_epsilon (label->area_px, 0.125, 1e-12);
}

static void
places_may_be_lists_and_relative_to_path (void)
{
  static const char *const yamls[] = {
      "path: sub\nval: [images/val, images/other]\nnc: 2\n",
      "path: ./sub\nval: list.txt\nnc: 2\n",
  };

  for (uint32_t i = 0; i < G_N_ELEMENTS (yamls); i++) {
    g_auto (Folder) folder;
    g_autoptr (GError) error = NULL;

    folder_init (&folder);
    put_text (&folder, "data.yaml", yamls[i]);
    put_picture (&folder, "sub/images/val/1.png");
    put_picture (&folder, "sub/images/other/2.png");
    put_text (&folder, "sub/labels/other/2.txt", "0 .5 .5 .5 .5");
    put_text (&folder, "sub/list.txt", "images/val/1.png\n./images/other/2.png\n\n");
    g_autoptr (Dataset) dataset = open_named (&folder, "data.yaml", &error);
    g_assert_no_error (error);
    g_assert_cmpuint (dataset->images->len, ==, 2);
  }
}

/* The dot of a folder begins no ending. */
static void
pictures_without_an_ending_have_labels (void)
{
  static const char *const pictures[] = {"images/frame", "data.v2/images/frame",
                                         "data.v2/images/sub.d/frame", "images.v2/frame"};
  static const char *const labels[] = {"labels/frame.txt", "data.v2/labels/frame.txt",
                                       "data.v2/labels/sub.d/frame.txt", "images.v2/frame.txt"};

  for (uint32_t i = 0; i < G_N_ELEMENTS (pictures); i++) {
    g_auto (Folder) folder;
    g_autoptr (GError) error = NULL;

    folder_init (&folder);
    put_text (&folder, "data.yaml", "val: list.txt\nnc: 2\n");
    put_text (&folder, "list.txt", pictures[i]);
    put_picture (&folder, pictures[i]);
    put_text (&folder, labels[i], "1 .5 .5 .5 .5");
    g_autoptr (Dataset) dataset = open_named (&folder, "data.yaml", &error);
    g_assert_no_error (error);
    g_assert_cmpuint (label_of (dataset, 0, 0)->class_index, ==, 1);
  }
}

/* What upstream does; what the data set's own folder is called does not count. */
static void
of_two_folders_images_the_first_has_labels_beside_it (void)
{
  g_auto (Folder) folder;
  g_autoptr (GError) error = NULL;

  folder_init (&folder);
  put_text (&folder, "images/set/data.yaml", "val: images\nnc: 2\n");
  put_picture (&folder, "images/set/images/a/images/1.png");
  put_text (&folder, "images/set/labels/a/images/1.txt", "1 .5 .5 .5 .5");
  g_autoptr (Dataset) dataset = open_named (&folder, "images/set/data.yaml", &error);
  g_assert_no_error (error);
  g_assert_cmpuint (label_of (dataset, 0, 0)->class_index, ==, 1);
}

static void
links_to_folders_are_followed_but_not_for_ever (void)
{
  g_auto (Folder) folder;
  g_autoptr (GError) error = NULL;

  folder_init (&folder);
  put_yolo_folder (&folder, "val: images/val\nnc: 2\n", "0 .5 .5 .5 .5");
  put_picture (&folder, "elsewhere/8.png");
  g_autofree char *link = place (&folder, "images/val/more");
  g_assert_cmpint (symlink ("../../elsewhere", link), ==, 0);
  g_autoptr (Dataset) dataset = open_named (&folder, "data.yaml", &error);
  g_assert_no_error (error);
  g_assert_cmpuint (dataset->images->len, ==, 3);

  g_autofree char *loop = place (&folder, "images/val/loop");
  g_assert_cmpint (symlink (".", loop), ==, 0);
  refuse (&folder, "data.yaml", "more than 32 folders in each other");
}

static void
names_that_are_not_the_models_are_warned_of (void)
{
  static const struct {
    const char *yaml, *warning; /* NULL: none */
  } cases[] = {
      {"val: images/val\nnames: [Cat, dog]\n", NULL},
      {"val: images/val\nnc: 2\n", NULL},
      {"val: images/val\nnames: [cat, person]\n", "class 1 is \"person\", the model's is \"dog\""},
  };

  for (uint32_t i = 0; i < G_N_ELEMENTS (cases); i++) {
    g_auto (Folder) folder;

    folder_init (&folder);
    put_yolo_folder (&folder, cases[i].yaml, "0 .5 .5 .5 .5");
    g_autoptr (Dataset) dataset = open_named (&folder, "data.yaml", NULL);
    const char *found = strstr (dataset->warning, "the model's");

    g_assert_cmpint (found != NULL, ==, cases[i].warning != NULL);
    g_assert_true (!found || strstr (dataset->warning, cases[i].warning));
  }
}

static void
a_data_set_knows_its_files (void)
{
  static const char *const theirs[] = {"data.yaml", "list.txt", "images/1.png", "labels/1.txt",
                                       "link.json"};
  static const char *const others[] = {"labels/2.txt", "nowhere"};
  g_auto (Folder) folder;

  folder_init (&folder);
  put_text (&folder, "data.yaml", "val: list.txt\nnc: 2\n");
  put_text (&folder, "list.txt", "images/1.png\n");
  put_picture (&folder, "images/1.png");
  put_text (&folder, "labels/1.txt", "");
  put_text (&folder, "labels/2.txt", "");
  g_autofree char *link = place (&folder, "link.json");
  g_assert_cmpint (symlink ("labels/1.txt", link), ==, 0);
  g_autoptr (Dataset) dataset = open_named (&folder, "data.yaml", NULL);
  for (uint32_t i = 0; i < G_N_ELEMENTS (theirs); i++) {
    g_autofree char *path = place (&folder, theirs[i]);

    g_assert_true (dataset_has_file (dataset, path));
  }
  for (uint32_t i = 0; i < G_N_ELEMENTS (others); i++) {
    g_autofree char *path = place (&folder, others[i]);

    g_assert_false (dataset_has_file (dataset, path));
  }
}

static void
damaged_yamls_are_refused (void)
{
  static const struct {
    const char *yaml, *message;
  } cases[] = {
      {"", "data.yaml:1: the file is empty"},
      {"nc: 2\n", "data.yaml:1: val: expected a folder"},
      {"val: [\n", "data.yaml:2: yaml syntax error"},
      {"val: images/val\n", "data.yaml:1: nc is 0"},
      {"val: images/val\nnc: many\n", "data.yaml:2: nc: expected a number"},
      {"val: images/val\nnc: 3\nnames: [cat, dog]\n",
       "data.yaml:2: nc is 3, but there are 2 names"},
      {"val: images/val\nnames: [cat, [dog]]\n", "data.yaml:2: a class name is no text"},
      {"val: images/val\nnames: {0: cat, 2: dog}\n", "data.yaml:2: names: expected each number"},
      {"val: {a: b}\nnc: 2\n", "data.yaml:1: val: expected a folder"},
      {"val: []\nnc: 2\n", "data.yaml:1: val: the list is empty"},
      {"val: images/val\nnc: 80\n",
       "has 80 classes (\"?\" ...), but the model has 2 (\"cat\" ...)"},
      {"val: nowhere\nnc: 2\n", "nowhere"},
      {"val: labels/val\nnc: 2\n", "there is no picture in"},
  };

  for (uint32_t i = 0; i < G_N_ELEMENTS (cases); i++) {
    g_auto (Folder) folder;

    folder_init (&folder);
    put_yolo_folder (&folder, cases[i].yaml, "");
    refuse (&folder, "data.yaml", cases[i].message);
  }
}

static void
damaged_labels_are_refused (void)
{
  static const struct {
    const char *labels, *message;
  } cases[] = {
      {"0 0.5 0.5 0.5 0.5\n0 0.5 0.5 0.5\n", "labels/val/7.txt:2: 4 values, expected 5"},
      {"0 0.5 0.5 0.5 0.5 0.5\n", "labels/val/7.txt:1: 6 values, expected 5"},
      {"2 0.5 0.5 0.5 0.5\n", "labels/val/7.txt:1: class \"2\", expected a number from 0 to 1"},
      {"-1 0.5 0.5 0.5 0.5\n", "labels/val/7.txt:1: class \"-1\""},
      {"0.5 0.5 0.5 0.5 0.5\n", "labels/val/7.txt:1: class \"0.5\""},
      {"cat 0.5 0.5 0.5 0.5\n", "labels/val/7.txt:1: class \"cat\""},
      {"0 0.5 0.5 320 0.5\n", "labels/val/7.txt:1: value 4 is \"320\""},
      {"0 nan 0.5 0.5 0.5\n", "labels/val/7.txt:1: value 2 is \"nan\""},
      {"0 0.5 0.5 0.5 -0.5\n", "labels/val/7.txt:1: value 5 is \"-0.5\""},
      {"0x0 0.5 0.5 0.5 0.5\n", "labels/val/7.txt:1: class \"0x0\""},
      {"0 0x.8p0 0.5 0.5 0.5\n", "labels/val/7.txt:1: value 2 is \"0x.8p0\""},
      {"0 0.5 0.5 0.5 0.5x\n", "labels/val/7.txt:1: value 5 is \"0.5x\""},
      {"0 0.5 0.5 0.5 \xff\x1b\n", "labels/val/7.txt:1: value 5 is \"\357\277\275\\033\""},
  };

  for (uint32_t i = 0; i < G_N_ELEMENTS (cases); i++) {
    g_auto (Folder) folder;

    folder_init (&folder);
    put_yolo_folder (&folder, "val: images/val\nnc: 2\n", cases[i].labels);
    refuse (&folder, "data.yaml", cases[i].message);
  }
}

static void
more_labels_than_a_picture_can_show_are_refused (void)
{
  g_auto (Folder) folder;
  g_autoptr (GString) labels = g_string_new (NULL);

  folder_init (&folder);
  for (uint32_t i = 0; i <= 20000; i++)
    g_string_append_printf (labels, "0 0.5 0.5 0.5 0.%06u\n", i);
  put_yolo_folder (&folder, "val: images/val\nnc: 2\n", labels->str);
  refuse (&folder, "data.yaml", "labels/val/7.txt:20001: more than 20000 labels");
}

/* Behind a byte 0 there may be more. */
static void
a_byte_0_in_labels_is_refused (void)
{
  g_auto (Folder) folder;

  folder_init (&folder);
  put_yolo_folder (&folder, "val: images/val\nnc: 2\n", "");
  g_autofree char *path = place (&folder, "labels/val/7.txt");
  g_assert_true (g_file_set_contents (path, "0 .5 .5 .5 .5\n\0\n0 .1 .1 .1 .1\n", 31, NULL));
  refuse (&folder, "data.yaml", "labels/val/7.txt:2: a byte 0, expected a text");
}

static void
a_list_names_the_line_whose_picture_is_not_there (void)
{
  g_auto (Folder) folder;

  folder_init (&folder);
  put_text (&folder, "data.yaml", "val: list.txt\nnc: 2\n");
  put_picture (&folder, "images/1.png");
  put_text (&folder, "list.txt", "images/1.png\r\n\nimages/2.png\n");
  refuse (&folder, "data.yaml",
          "list.txt:3: there is no picture \"images/2.png\"; expected a path");
}

static void
pictures_that_are_none_and_folders_without_labels_are_refused (void)
{
  g_auto (Folder) folder;

  folder_init (&folder);
  refuse (&folder, "data.yaml", "data.yaml");
  put_text (&folder, "data.yaml", "val: images\nnc: 2\n");
  put_picture (&folder, "images/1.png");
  refuse (&folder, "data.yaml", "labels/1.txt");
  put_text (&folder, "labels/1.txt", "");
  put_text (&folder, "images/2.png", "this is a text");
  refuse (&folder, "data.yaml", "images/2.png: not a picture");
}

/* ---- COCO ----------------------------------------------------------------------------------- */

#define IMAGES                                                                                     \
  "\"images\": [{\"id\": 9, \"file_name\": \"a.png\"}, {\"id\": 4, \"file_name\": \"b.png\"}]"
#define CATEGORIES                                                                                 \
  "\"categories\": [{\"id\": 18, \"name\": \"dog\"}, {\"id\": 17, \"name\": \"cat\"}]"

static void
put_coco (const Folder *folder, const char *json)
{
  put_picture (folder, "val2017/a.png");
  put_picture (folder, "val2017/b.png");
  put_text (folder, "annotations/instances_val2017.json", json);
}

static void
cocos_annotations_become_labels (void)
{
  g_auto (Folder) folder;
  g_autoptr (GError) error = NULL;

  folder_init (&folder);
  put_coco (&folder, "{" IMAGES "," CATEGORIES ", \"annotations\": ["
                     "{\"image_id\": 9, \"category_id\": 18, \"bbox\": [1, 2.5, 10, 5],"
                     " \"area\": 20.5, \"iscrowd\": 1},"
                     "{\"image_id\": 9, \"category_id\": 17, \"bbox\": [35, 2, 10, 5]}]}");
  g_autoptr (Dataset) dataset = open_named (&folder, "annotations/instances_val2017.json", &error);
  g_assert_no_error (error);
  const DatasetImage *first = g_ptr_array_index (dataset->images, 0);
  g_autoptr (GArray) labels = dataset_labels (dataset, 1, WIDTH, HEIGHT);
  EvalLabel *dog = &g_array_index (labels, EvalLabel, 0);
  EvalLabel *cat = &g_array_index (labels, EvalLabel, 1);

  g_assert_cmpint (first->id, ==, 4);
  g_assert_null (dataset->warning);
  g_assert_cmpint (dataset->category_ids[0], ==, 17);
  g_assert_cmpint (dataset->category_ids[1], ==, 18);
  g_assert_cmpuint (dog->class_index, ==, 1);
  g_assert_true (dog->is_crowd);
  g_assert_cmpfloat (dog->y, ==, 2.5);
  g_assert_cmpfloat (dog->area_px, ==, 20.5);
  g_assert_false (cat->is_crowd);
  g_assert_cmpfloat (cat->area_px, ==, 50);
  g_assert_cmpfloat (cat->w, ==, 10); /* half of it lies outside */
  eval_clip_labels (dog, 2, WIDTH, HEIGHT);
  g_assert_cmpfloat (cat->x, ==, 35);
  g_assert_cmpfloat (cat->w, ==, 5);
  g_assert_cmpfloat (cat->area_px, ==, 50);
  g_assert_cmpfloat (dog->w, ==, 10);
}

/* As many categories as classes under other names: in the order of their numbers. */
static void
categories_of_other_names_go_by_their_order (void)
{
  g_auto (Folder) folder;

  folder_init (&folder);
  put_coco (&folder, "{" IMAGES ", \"annotations\": [], \"categories\": [{\"id\": 3, \"name\": "
                     "\"Hund\"}, {\"id\": 1, \"name\": \"Katze\"}]}");
  g_autoptr (Dataset) dataset = open_named (&folder, "annotations/instances_val2017.json", NULL);
  g_assert_cmpint (dataset->category_ids[0], ==, 1);
  g_assert_cmpint (dataset->category_ids[1], ==, 3);
  g_assert_nonnull (dataset->warning);
  g_assert_nonnull (strstr (dataset->warning, "0 of the model's 2 classes (\"cat\" ...)"));
}

/* A file of one annotation, of image 9 and category 17, with these further members. */
#define ANNOTATION(members)                                                                        \
  "{" CATEGORIES "," IMAGES ", \"annotations\": [{\"image_id\": 9, \"category_id\": 17, " members  \
  "}]}"
#define BOX "\"bbox\": [1, 2, 3, 4]"

static void
damaged_coco_files_are_refused (void)
{
  static const struct {
    const char *json, *message;
  } cases[] = {
      {"[]", "found no JSON object; expected COCO's instances"},
      {"{", "instances_val2017.json:1:1: Parse error"},
      {"{\n\"a\": NaN}", "instances_val2017.json: has a word that JSON has not at byte 7"},
      {"{\"a\": \"\xff\"}", "instances_val2017.json: JSON data must be UTF-8"},
      {"{}", "has no list \"categories\""},
      {"{" CATEGORIES "}", "has no list \"images\""},
      {"{" CATEGORIES ", \"images\": []}", "the list \"images\" is empty"},
      {"{" CATEGORIES ", \"images\": [[7]]}", "images[0] is [7], expected an object"},
      {"{" CATEGORIES ", \"images\": [{\"id\": 1}]}",
       "images[0]: \"file_name\" is missing, expected a text"},
      {"{" CATEGORIES ", \"images\": [{\"id\": \"1\", \"file_name\": \"a.png\"}]}",
       "images[0]: \"id\" is \"1\", expected a whole number from 0 on"},
      {"{" CATEGORIES ", \"images\": [{\"id\": -9223372036854775808, \"file_name\": \"a.png\"}]}",
       "expected a whole number from 0 on"},
      {"{" CATEGORIES ", \"images\": [{\"id\": 1, \"file_name\": \"a.png\"},"
       "{\"id\": 1, \"file_name\": \"b.png\"}]}",
       "images[1]: \"id\" is 1, expected one that was not there before"},
      {"{" CATEGORIES ", \"images\": [{\"id\": 1, \"file_name\": \"c.png\"}]}", "c.png"},
      {"{" CATEGORIES "," IMAGES "}", "has no list \"annotations\""},
      {"{\"categories\": [{\"id\": 1, \"name\": \"cat\"}]," IMAGES "}",
       "has 1 categories, and 1 of the model's 2 classes"},
      {"{\"categories\": [{\"id\": -9223372036854775808, \"name\": \"cat\"}]," IMAGES "}",
       "categories[0]: \"id\" is -9223372036854775808, expected a whole number from 0 on"},
      {"{\"categories\": [{\"id\": 4294967297, \"name\": \"cat\"}]," IMAGES "}",
       "categories[0]: \"id\" is 4294967297, expected at most 2147483647"},
      {"{\"categories\": [{\"id\": 1, \"name\": \"cat\"}, {\"id\": 2, \"name\": \"Cat\"}]," IMAGES
       "}",
       "categories[1]: \"name\" is \"Cat\", expected one that was not there before"},
      {"{\"categories\": [{\"id\": 1, \"name\": \"cat\"}, {\"id\": 1, \"name\": \"dog\"}]," IMAGES
       "}",
       "categories[1]: \"id\" is 1, expected one that was not there before"},
      {"{" CATEGORIES "," IMAGES ", \"annotations\": [7]}",
       "annotations[0] is 7, expected an object"},
      {"{" CATEGORIES "," IMAGES ", \"annotations\": [{\"image_id\": 5, \"category_id\": 17," BOX
       "}]}",
       "annotations[0]: \"image_id\" is 5, expected the id of one of the images"},
      {"{" CATEGORIES "," IMAGES ", \"annotations\": [{\"image_id\": 9, \"category_id\": 16," BOX
       "}]}",
       "annotations[0]: \"category_id\" is 16, expected the id of one of the categories"},
      {"{" CATEGORIES "," IMAGES ", \"annotations\": [{\"image_id\": 9, \"category_id\":"
       "4294967313," BOX "}]}",
       "annotations[0]: \"category_id\" is 4294967313, expected the id of"},
      {ANNOTATION ("\"bbox\": [1, 2, -3, 4]"),
       "annotations[0]: \"bbox\" is [1,2,-3,4], expected [x, y, w, h], four numbers"},
      {ANNOTATION ("\"bbox\": [1, 2, [], 4]"), "annotations[0]: \"bbox\" is [1,2,[],4], expected"},
      {ANNOTATION ("\"bbox\": [1, 2, \"3\", 4]"), "\"bbox\" is [1,2,\"3\",4], expected"},
      {ANNOTATION ("\"bbox\": [1e999, 2, 3, 4]"), "has a number that is too large at byte"},
      {ANNOTATION ("\"bbox\": [1e308, 2, 3, 4]"), "four numbers that fit a float"},
      {ANNOTATION ("\"bbox\": [1, 2, 3, 1e39]"), "four numbers that fit a float"},
      {ANNOTATION ("\"bbox\": [1, 2, 3]"), "annotations[0]: \"bbox\" is [1,2,3], expected"},
      {ANNOTATION (BOX ", \"area\": -1"), "\"area\" is -1, expected a number from 0 on"},
      {ANNOTATION (BOX ", \"area\": \"12\""), "\"area\" is \"12\", expected a number"},
      {ANNOTATION (BOX ", \"area\": null"), "\"area\" is null, expected a number"},
      {ANNOTATION (BOX ", \"iscrowd\": 2"), "\"iscrowd\" is 2, expected 0 or 1"},
      {ANNOTATION (BOX ", \"iscrowd\": \"0\""), "\"iscrowd\" is \"0\", expected 0 or 1"},
  };

  for (uint32_t i = 0; i < G_N_ELEMENTS (cases); i++) {
    g_auto (Folder) folder;

    folder_init (&folder);
    put_coco (&folder, cases[i].json);
    refuse (&folder, "annotations/instances_val2017.json", cases[i].message);
  }
}

/* Which of the model's two cats is meant nobody knows: the order decides. */
static void
classes_of_one_name_go_by_their_order (void)
{
  static const char *const cats[] = {"cat", "cat", NULL};
  g_auto (Folder) folder;
  g_autoptr (GError) error = NULL;

  folder_init (&folder);
  put_coco (&folder, ANNOTATION (BOX));
  g_autofree char *path =
      g_build_filename (folder.path, "annotations/instances_val2017.json", NULL);
  g_autoptr (Dataset) dataset = dataset_open (path, NULL, cats, 2, &error);
  g_assert_no_error (error);
  g_assert_cmpint (dataset->category_ids[0], ==, 17);
  g_assert_cmpint (dataset->category_ids[1], ==, 18);
}

static void
a_text_of_brackets_is_refused (void)
{
  g_auto (Folder) folder;
  g_autofree char *deep = g_strnfill (3000000, '[');

  folder_init (&folder);
  put_text (&folder, "a.json", deep);
  refuse (&folder, "a.json",
          "a.json: nests more than 64 deep at byte 64; expected COCO's instances");
  put_text (&folder, "data.yaml", deep + 2500000);
  refuse (&folder, "data.yaml", "data.yaml:");
  refuse (&folder, "none.json", "none.json: ");
}

/* What json-glib reads and JSON has not: behind it, 3 million brackets would use up the stack. */
static void
brackets_can_not_be_hidden (void)
{
  static const char *const starts[] = {"{\"a\":/* \" */",
                                       "{/* \" */\"a\":", "{'\"':", "{\"\\u1\"\":"};
  g_autofree char *brackets = g_strnfill (3000000, '[');

  for (uint32_t i = 0; i < G_N_ELEMENTS (starts); i++) {
    g_auto (Folder) folder;
    g_autofree char *json = g_strconcat (starts[i], brackets, NULL);

    folder_init (&folder);
    put_text (&folder, "a.json", json);
    refuse (&folder, "a.json", "a.json: has a ");
  }
}

static void
an_ending_in_capitals_is_known (void)
{
  g_auto (Folder) folder;

  folder_init (&folder);
  put_text (&folder, "a.JSON", "[]");
  refuse (&folder, "a.JSON", "a.JSON: found no JSON object; expected COCO's instances");
}

/* What stands where a file should be, and who says what should be there. A pipe that was waited
 * for would hang, and so fail, the test. */
static void
what_is_no_file_is_refused_and_not_waited_for (void)
{
  static const struct {
    const char *name, *expected;
  } cases[] = {
      {"data.yaml", "expected a data.yaml"},
      {"a.json", "expected COCO's instances_*.json"},
      {"labels/val/7.txt", "expected a text with a line an object"},
      {"list.txt", "expected a text with the path of a picture a line"},
  };

  for (uint32_t i = 0; i < 2 * G_N_ELEMENTS (cases); i++) {
    const bool is_pipe = i % 2, is_json = i / 2 == 1, is_list = i / 2 == 3;
    g_auto (Folder) folder;

    folder_init (&folder);
    put_yolo_folder (&folder, is_list ? "val: list.txt\nnc: 2\n" : "val: images/val\nnc: 2\n", "");
    g_autofree char *path = place (&folder, cases[i / 2].name);
    g_autofree char *message = g_strdup_printf (
        "%s: is %s; %s", path, is_pipe ? "no regular file" : "a directory", cases[i / 2].expected);
    g_remove (path);
    g_assert_cmpint (is_pipe ? mkfifo (path, 0600) : g_mkdir (path, 0700), ==, 0);
    refuse (&folder, is_json ? "a.json" : "data.yaml", message);
  }
}

/* Its published table: 80 kinds with numbers up to 90. */
static void
cocos_numbers_have_gaps (void)
{
  static const struct {
    uint32_t index;
    int category;
  } known[] = {{0, 1},   {10, 11}, {11, 13}, {24, 27}, {26, 31}, {40, 46}, {59, 65},
               {60, 67}, {61, 70}, {62, 72}, {72, 82}, {73, 84}, {79, 90}, {80, -1}};

  for (uint32_t i = 0; i < G_N_ELEMENTS (known); i++)
    g_assert_cmpint (dataset_coco_category (known[i].index), ==, known[i].category);
}

int
main (int argc, char **argv)
{
  g_test_init (&argc, &argv, NULL);
  g_test_add_func ("/dataset/yolo/folder", a_folder_gives_its_pictures_and_labels);
  g_test_add_func ("/dataset/yolo/outline", an_outline_gives_its_box_and_area);
  g_test_add_func ("/dataset/yolo/places", places_may_be_lists_and_relative_to_path);
  g_test_add_func ("/dataset/yolo/no-ending", pictures_without_an_ending_have_labels);
  g_test_add_func ("/dataset/yolo/two-images",
                   of_two_folders_images_the_first_has_labels_beside_it);
  g_test_add_func ("/dataset/yolo/links", links_to_folders_are_followed_but_not_for_ever);
  g_test_add_func ("/dataset/yolo/names", names_that_are_not_the_models_are_warned_of);
  g_test_add_func ("/dataset/files", a_data_set_knows_its_files);
  g_test_add_func ("/dataset/yolo/bad-yaml", damaged_yamls_are_refused);
  g_test_add_func ("/dataset/yolo/bad-labels", damaged_labels_are_refused);
  g_test_add_func ("/dataset/yolo/byte-0", a_byte_0_in_labels_is_refused);
  g_test_add_func ("/dataset/yolo/bad-list", a_list_names_the_line_whose_picture_is_not_there);
  g_test_add_func ("/dataset/yolo/many-labels", more_labels_than_a_picture_can_show_are_refused);
  g_test_add_func ("/dataset/yolo/bad-folder",
                   pictures_that_are_none_and_folders_without_labels_are_refused);
  g_test_add_func ("/dataset/coco/labels", cocos_annotations_become_labels);
  g_test_add_func ("/dataset/coco/order", categories_of_other_names_go_by_their_order);
  g_test_add_func ("/dataset/coco/one-name", classes_of_one_name_go_by_their_order);
  g_test_add_func ("/dataset/coco/bad", damaged_coco_files_are_refused);
  g_test_add_func ("/dataset/deep", a_text_of_brackets_is_refused);
  g_test_add_func ("/dataset/coco/brackets", brackets_can_not_be_hidden);
  g_test_add_func ("/dataset/capitals", an_ending_in_capitals_is_known);
  g_test_add_func ("/dataset/no-file", what_is_no_file_is_refused_and_not_waited_for);
  g_test_add_func ("/dataset/coco/numbers", cocos_numbers_have_gaps);
  return g_test_run ();
}
